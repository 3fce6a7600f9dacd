package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// everywhere is a harness with a provider of each dialect and a route "routed".
func everywhere(t testing.TB, route *policyv1.Route, options ...func(*proxy.Config)) *harness {
	h := newHarness(t, options...)
	route = proto.CloneOf(route)
	route.Id, route.Name = "r-routed", "routed"
	for _, id := range []string{"claude", "gemini", "aws"} {
		h.extra = append(h.extra, resource(t, "provider", id, h.provider(id)))
	}
	h.extra = append(h.extra, resource(t, "route", route.Id, route))
	h.holder.Store(h.policy(h.upstream.URL))
	return h
}

// provider is one of those of everywhere.
func (h *harness) provider(id string) *policyv1.Provider {
	p := &policyv1.Provider{Id: id, Name: id, BaseUrl: h.upstream.URL, CredentialRef: "env://WEIR_SECRET_MOCK", Region: "eu-west-1", PriceList: "anthropic"}
	switch id {
	case "claude":
		p.Dialect = policyv1.Dialect_DIALECT_ANTHROPIC
	case "gemini":
		p.Dialect, p.PriceList, p.BaseUrl = policyv1.Dialect_DIALECT_GEMINI, "gemini", p.BaseUrl+"/v1beta"
	case "aws":
		p.Dialect, p.CredentialRef = policyv1.Dialect_DIALECT_BEDROCK, "env://WEIR_SECRET_AWS"
	case "mock":
		p.Dialect, p.PriceList, p.BaseUrl = policyv1.Dialect_DIALECT_OPENAI, "openai", p.BaseUrl+"/v1"
	}
	return p
}

// reply is what an upstream answers in place of the mock.
type reply struct {
	status     int
	kind, body string
}

const sseType = "text/event-stream"

// first has the upstream answer its first requests so, and those after them by the mock.
func (h *harness) first(replies ...reply) {
	var asked atomic.Int64
	h.upstream.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := asked.Add(1)
		if n > int64(len(replies)) {
			h.mock.ServeHTTP(w, r)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		said := replies[n-1]
		w.Header().Set("Content-Type", said.kind)
		w.WriteHeader(said.status)
		_, _ = io.WriteString(w, said.body)
	})
}

// chatSurfaces are the four that chats come by: how a question is asked, and how an answer, a
// stream's end and its error look.
var chatSurfaces = map[string]chatSurface{
	"chat": {path: "/v1/chat/completions", body: routedQuestion + `,"max_tokens":50`, provider: "mock", model: "gpt-4o",
		whole: `"object":"chat.completion"`, end: "data: [DONE]\n\n", broke: `data: {"error":{"message":`},
	"responses": {path: "/v1/responses", body: `{"model":"routed","input":"how much water passed","store":false,"max_output_tokens":50`, provider: "mock", model: "gpt-4o",
		whole: `"object":"response"`, end: `"type":"response.completed"`, broke: "event: error\ndata: {\"type\":\"error\""},
	"messages": {path: "/v1/messages", body: `{"model":"routed","max_tokens":50,"messages":[{"role":"user","content":"how much water passed"}]`, provider: "claude", model: sonnet,
		whole: `"type":"message"`, end: "event: message_stop\n", broke: "event: error\ndata: {\"type\":\"error\""},
	"gemini": {path: geminiModels + "routed", body: strings.TrimSuffix(contents, "}"), provider: "gemini", model: flash,
		whole: `"candidates"`, end: `"finishReason":"STOP"`, broke: `data: {"error":{"code":`},
}

type chatSurface struct {
	path, body, provider, model string
	whole, end, broke           string
}

// ask is the path and body of a question to the route.
func (s *chatSurface) ask(stream bool) (path, body string) {
	switch {
	case strings.HasPrefix(s.path, geminiModels) && stream:
		return s.path + ":streamGenerateContent?alt=sse", s.body + "}"
	case strings.HasPrefix(s.path, geminiModels):
		return s.path + ":generateContent", s.body + "}"
	case stream:
		return s.path, s.body + `,"stream":true}`
	}
	return s.path, s.body + "}"
}

func (h *harness) askBy(s *chatSurface, stream bool) (*http.Response, string) {
	h.t.Helper()
	path, body := s.ask(stream)
	response, text, err := h.sendTo(h.t.Context(), path, goodKey, body)
	if err != nil {
		h.t.Fatal(err)
	}
	return response, text
}
