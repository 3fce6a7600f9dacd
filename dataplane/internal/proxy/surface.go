package proxy

import (
	"net/http"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/openai"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
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
	pathChat     = "/v1/chat/completions"
	pathMessages = "/v1/messages"
	pathModels   = "/v1/models"
)

var (
	surfaceChat = &surface{name: "chat", method: http.MethodPost, dialect: openai.Chat{},
		records: usagev1.Surface_SURFACE_OPENAI_CHAT, serve: (*exchange).pass}
	surfaceMessages = &surface{name: "messages", method: http.MethodPost, dialect: anthropic.Messages{},
		records: usagev1.Surface_SURFACE_ANTHROPIC_MESSAGES, serve: (*exchange).pass}
	surfaceModels = &surface{name: "models", method: http.MethodGet, dialect: openai.Chat{}, serve: (*exchange).models}
	// elsewhere is every other path, and belowMessages what a caller of Anthropic's
	// dialect may look for there.
	elsewhere     = &surface{dialect: openai.Chat{}}
	belowMessages = &surface{dialect: anthropic.Messages{}}
)

// surfaceOf has no name where nothing is served.
func surfaceOf(path string) *surface {
	switch {
	case path == pathChat:
		return surfaceChat
	case path == pathMessages:
		return surfaceMessages
	case path == pathModels, strings.HasPrefix(path, pathModels+"/"):
		return surfaceModels
	case strings.HasPrefix(path, pathMessages+"/"):
		return belowMessages
	}
	return elsewhere
}

// forwards tells whether its requests go upstream.
func (s *surface) forwards() bool { return s.records != usagev1.Surface_SURFACE_UNSPECIFIED }

// speaks tells whether a provider's dialect is the surface's: others would need
// translation.
func (s *surface) speaks(provider *snapshot.Provider) bool {
	messages := s.records == usagev1.Surface_SURFACE_ANTHROPIC_MESSAGES
	return messages == (provider.Dialect == policyv1.Dialect_DIALECT_ANTHROPIC)
}
