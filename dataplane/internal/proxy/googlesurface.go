package proxy

import (
	"net/http"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

var (
	surfaceGenerate = &surface{name: "generate_content", method: http.MethodPost, paths: googlePaths(gemini.MethodGenerate), dialect: gemini.Generate{},
		records: usagev1.Surface_SURFACE_GEMINI_GENERATE, serve: (*exchange).pass, endpoint: snapshot.GeminiGenerate,
		chat: func() chat.Surface { return gemini.NewSurface() }}
	surfaceGenerateStream = &surface{name: "generate_content", method: http.MethodPost, paths: googlePaths(gemini.MethodStream), dialect: gemini.Generate{},
		records: usagev1.Surface_SURFACE_GEMINI_GENERATE, serve: (*exchange).pass, endpoint: snapshot.GeminiStream,
		chat: func() chat.Surface { return gemini.NewSurface() }, streamType: eventType, streams: true}
	surfaceGenerateArray = &surface{name: "generate_content", method: http.MethodPost, dialect: gemini.Generate{},
		records: usagev1.Surface_SURFACE_GEMINI_GENERATE, serve: (*exchange).pass, endpoint: snapshot.GeminiStream,
		chat: func() chat.Surface { return gemini.NewArraySurface() }, streamType: jsonType, streams: true, array: true}
	surfaceEmbed = &surface{name: "embed_content", method: http.MethodPost, paths: googlePaths(gemini.MethodEmbed), dialect: gemini.Embed{},
		records: usagev1.Surface_SURFACE_GEMINI_EMBED, serve: (*exchange).pass, endpoint: snapshot.GeminiEmbed}
	surfaceEmbedBatch = &surface{name: "embed_content", method: http.MethodPost, paths: googlePaths(gemini.MethodEmbedBatch), dialect: gemini.Embed{},
		records: usagev1.Surface_SURFACE_GEMINI_EMBED, serve: (*exchange).pass, endpoint: snapshot.GeminiEmbedBatch}
)

var ofGoogle = []*surface{surfaceGenerate, surfaceGenerateStream, surfaceGenerateArray, surfaceCountContents, surfaceEmbed, surfaceEmbedBatch}

const (
	googlePrefix     = "/v1beta/"
	googleModelsPath = "/v1beta" + gemini.Models
)

func googlePaths(method string) []string { return []string{googlePrefix + "models/{model}:" + method} }

// googleSurface is that of a path of Gemini's API, with the model that stands in it; nil: it
// is none. Where only the version v1 is said, other dialects have what is not posted.
func googleSurface(r *http.Request) (s *surface, model string) {
	model, method, ok := gemini.ParsePath(r.URL.Path)
	if ok && (r.Method == http.MethodPost || strings.HasPrefix(r.URL.Path, googlePrefix)) {
		return googleMethod(method, r), model
	}
	if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, googleModelsPath+"/") {
		return surfaceGoogleModels, ""
	}
	return nil, ""
}

func googleMethod(method string, r *http.Request) *surface {
	switch method {
	case gemini.MethodGenerate:
		return surfaceGenerate
	case gemini.MethodStream:
		if r.URL.Query().Get("alt") == "sse" {
			return surfaceGenerateStream
		}
		return surfaceGenerateArray
	case gemini.MethodEmbed:
		return surfaceEmbed
	case gemini.MethodEmbedBatch:
		return surfaceEmbedBatch
	case gemini.MethodCountTokens:
		return surfaceCountContents
	}
	return nil
}

// dialectOf is the surface of the dialect that the caller shows to speak.
func (e *exchange) dialectOf(s *surface) *surface {
	if google, model := googleSurface(e.r); google != nil {
		e.named = model
		return google
	}
	if s == surfaceModels {
		return modelsShape(e.r.Header)
	}
	return s
}
