package proxy

import (
	"net/http"
	"slices"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// surface is one way in: what a path is for and the dialect that is spoken there.
type surface struct {
	name   string // in metrics and logs; empty: nothing is served
	method string
	// paths that it is at. One that ends in {id} is at all below, of a segment or more;
	// those with {model} are googleSurface's to find.
	paths   []string
	dialect dialect.Dialect
	// records is empty where nothing goes upstream.
	records usagev1.Surface
	serve   func(*exchange)
	// endpoint is where upstreams of its own dialect serve it.
	endpoint snapshot.Endpoint
	// chat makes a converter of one attempt; nil: it is not translated. streamType is the
	// media type of the streams that it writes.
	chat       func() chat.Surface
	streamType []string
	// plays: answers are audio, which passes as it comes.
	plays bool
	// streams: the path asks for a stream. array: it is one JSON array.
	streams, array bool
	// count writes the answer of a surface that counts tokens; nil: it does not. It is
	// free.
	count func(tokens int64) []byte
}

const pathModels = "/v1/models"

var (
	jsonType  = []string{"application/json"}
	eventType = []string{"text/event-stream; charset=utf-8"}
)

var (
	surfaceChat = &surface{name: "chat", method: http.MethodPost, paths: []string{"/v1/chat/completions"}, dialect: openai.Chat{},
		records: usagev1.Surface_SURFACE_OPENAI_CHAT, serve: (*exchange).pass, endpoint: snapshot.OpenAIChat,
		chat: func() chat.Surface { return openai.NewSurface() }, streamType: eventType}
	surfaceMessages = &surface{name: "messages", method: http.MethodPost, paths: []string{"/v1/messages"}, dialect: anthropic.Messages{},
		records: usagev1.Surface_SURFACE_ANTHROPIC_MESSAGES, serve: (*exchange).pass, endpoint: snapshot.AnthropicMessages,
		chat: func() chat.Surface { return anthropic.NewSurface() }, streamType: eventType}
	surfaceModels = &surface{name: "models", method: http.MethodGet, paths: []string{pathModels, pathModels + "/{id}"},
		dialect: openai.Chat{}, serve: (*exchange).models}
	// elsewhere is every other path.
	elsewhere = &surface{dialect: openai.Chat{}}
)

// surfaces are all that is served, in the order in which callers are told of it.
var surfaces = slices.Concat([]*surface{surfaceChat, surfaceMessages, surfaceCountMessages}, ofOpenAI, ofGoogle, []*surface{surfaceGoogleModels, surfaceModels})

// surfaceAt has the paths of surfaces that are whole.
var surfaceAt = func() map[string]*surface {
	at := map[string]*surface{}
	for _, s := range surfaces {
		for _, path := range s.paths {
			at[path] = s
		}
	}
	return at
}()

// surfaceOf is elsewhere where nothing is served.
func surfaceOf(path string) *surface {
	if s := surfaceAt[path]; s != nil {
		return s
	}
	for _, s := range surfaces {
		for _, at := range s.paths {
			if above, open := strings.CutSuffix(at, "{id}"); open && strings.HasPrefix(path, above) {
				return s
			}
		}
	}
	return elsewhere
}

// forwards tells whether its requests go upstream.
func (s *surface) forwards() bool { return s.records != usagev1.Surface_SURFACE_UNSPECIFIED }

// reaches tells whether a target can be asked for what the surface serves.
func (s *surface) reaches(target *snapshot.Target) bool {
	return target.URL(s.endpoint) != nil || s.chat != nil && wayOf(target) != nil && (s.count == nil || s.counts(target))
}

// mismatch is about a target that is not reached.
func (s *surface) mismatch() *dialect.Refusal {
	if s.count != nil {
		return uncounted
	}
	return &dialect.Refusal{Status: http.StatusBadRequest, Code: codeMismatch, Param: "model",
		Message: "The providers of this route don't serve " + s.name + ". Ask for another route: GET /v1/models lists those of this key."}
}
