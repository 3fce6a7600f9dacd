package proxy

import (
	"net/http"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// surface is one way in: what a path is for and the dialect that is spoken there.
type surface struct {
	name    string // in metrics and logs; empty: nothing is served
	method  string
	dialect dialect.Dialect
	// records is empty where nothing goes upstream.
	records usagev1.Surface
	serve   func(*exchange)
}

const (
	pathChat   = "/v1/chat/completions"
	pathModels = "/v1/models"
)

var (
	surfaceChat = &surface{name: "chat", method: http.MethodPost, dialect: openai.Chat{},
		records: usagev1.Surface_SURFACE_OPENAI_CHAT, serve: (*exchange).pass}
	surfaceModels = &surface{name: "models", method: http.MethodGet, dialect: openai.Chat{}, serve: (*exchange).models}
	// elsewhere is every other path.
	elsewhere = &surface{dialect: openai.Chat{}}
)

func surfaceOf(path string) *surface {
	switch {
	case path == pathChat:
		return surfaceChat
	case path == pathModels, strings.HasPrefix(path, pathModels+"/"):
		return surfaceModels
	}
	return elsewhere
}

// forwards tells whether its requests go upstream.
func (s *surface) forwards() bool { return s.records != usagev1.Surface_SURFACE_UNSPECIFIED }
