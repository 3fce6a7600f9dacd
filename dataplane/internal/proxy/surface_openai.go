package proxy

import (
	"net/http"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/metered"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai/responses"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// ofOpenAI are the surfaces of OpenAI's dialect beside chats.
var ofOpenAI = []*surface{
	{name: "responses", method: http.MethodPost, paths: []string{"/v1/responses"}, dialect: responses.Passed{},
		records: usagev1.Surface_SURFACE_OPENAI_RESPONSES, serve: (*exchange).pass, endpoint: snapshot.OpenAIResponses,
		chat: func() chat.Surface { return responses.NewSurface() }, streamType: eventType},
	passed("embeddings", "/v1/embeddings", metered.Embeddings{}, usagev1.Surface_SURFACE_OPENAI_EMBEDDINGS, snapshot.OpenAIEmbeddings),
	passed("completions", "/v1/completions", metered.Completions{}, usagev1.Surface_SURFACE_OPENAI_COMPLETIONS, snapshot.OpenAICompletions),
	passed("image_generations", "/v1/images/generations", metered.Images{}, usagev1.Surface_SURFACE_OPENAI_IMAGES, snapshot.OpenAIImages),
	passed("image_edits", "/v1/images/edits", metered.Images{}, usagev1.Surface_SURFACE_OPENAI_IMAGES, snapshot.OpenAIImageEdits),
	passed("image_variations", "/v1/images/variations", metered.Images{}, usagev1.Surface_SURFACE_OPENAI_IMAGES, snapshot.OpenAIImageVariations),
	speech(),
	passed("transcriptions", "/v1/audio/transcriptions", metered.Transcriptions{}, usagev1.Surface_SURFACE_OPENAI_TRANSCRIPTIONS, snapshot.OpenAITranscriptions),
	passed("translations", "/v1/audio/translations", metered.Transcriptions{}, usagev1.Surface_SURFACE_OPENAI_TRANSCRIPTIONS, snapshot.OpenAITranslations),
	passed("moderations", "/v1/moderations", metered.Moderations{}, usagev1.Surface_SURFACE_OPENAI_MODERATIONS, snapshot.OpenAIModerations),
}

// passed is a surface that only providers of its own dialect serve.
func passed(name, path string, speaks dialect.Dialect, records usagev1.Surface, endpoint snapshot.Endpoint) *surface {
	return &surface{name: name, method: http.MethodPost, paths: []string{path}, dialect: speaks,
		records: records, serve: (*exchange).pass, endpoint: endpoint}
}

func speech() *surface {
	s := passed("speech", "/v1/audio/speech", metered.Speech{}, usagev1.Surface_SURFACE_OPENAI_SPEECH, snapshot.OpenAISpeech)
	s.plays = true
	return s
}
