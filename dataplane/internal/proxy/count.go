package proxy

import (
	"fmt"
	"net/http"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/anthropic"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/gemini"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

var (
	surfaceCountMessages = &surface{name: "count_tokens", method: http.MethodPost, paths: []string{"/v1/messages/count_tokens"}, dialect: anthropic.Messages{},
		records: usagev1.Surface_SURFACE_ANTHROPIC_COUNT_TOKENS, serve: (*exchange).pass, endpoint: snapshot.AnthropicCountTokens,
		chat: func() chat.Surface { return anthropic.NewCountingSurface() }, count: anthropic.CountAnswer}
	surfaceCountContents = &surface{name: "count_tokens", method: http.MethodPost, paths: googlePaths(gemini.MethodCountTokens), dialect: gemini.Generate{},
		records: usagev1.Surface_SURFACE_GEMINI_COUNT_TOKENS, serve: (*exchange).pass, endpoint: snapshot.GeminiCountTokens,
		chat: func() chat.Surface { return gemini.NewCountingSurface() }, count: gemini.CountAnswer}
)

// counting is how providers of a dialect are asked how many tokens a chat has that comes in
// another one. It costs nothing. What is said by none of them is not guessed.
type counting struct {
	endpoint snapshot.Endpoint
	ask      func(chat []byte, model string) []byte
	read     func(body []byte) (tokens int64, ok bool)
}

var countings = map[policyv1.Dialect]*counting{
	policyv1.Dialect_DIALECT_ANTHROPIC: {snapshot.AnthropicCountTokens, func(chat []byte, _ string) []byte { return anthropic.CountRequest(chat) }, anthropic.ReadCount},
	policyv1.Dialect_DIALECT_GEMINI:    {snapshot.GeminiCountTokens, gemini.CountRequest, gemini.ReadCount},
	policyv1.Dialect_DIALECT_VERTEX:    {snapshot.GeminiCountTokens, func(chat []byte, _ string) []byte { return gemini.CountRequestOfVertex(chat) }, gemini.ReadCount},
}

// counts tells whether a target that speaks another dialect can be asked.
func (s *surface) counts(target *snapshot.Target) bool {
	return s.count != nil && countings[target.Provider.Dialect] != nil
}

// counted is other for answers that are a number.
type counted struct {
	*other
	counting *counting
}

func (v counted) whole(status int, body []byte) (said, error) {
	if status >= http.StatusBadRequest {
		return v.failed(status, body), nil
	}
	tokens, ok := v.counting.read(body)
	if !ok {
		return said{}, fmt.Errorf("%w: no number of tokens", errMalformed)
	}
	return said{status: status, body: v.exchange.surface.count(tokens)}, nil
}

// uncounted is about providers that have no way to ask them.
var uncounted = &dialect.Refusal{Status: http.StatusBadRequest, Code: codeMismatch, Param: "model",
	Message: "This gateway asks only Anthropic and Google for counts, and does not guess those of others. Ask for a route to one of the two."}
