package proxy_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/llmtest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const (
	sonnet = "claude-sonnet-5"
	spare  = "claude-haiku-5"

	message = `{"model":"routed","max_tokens":50,"messages":[{"role":"user","content":"how much water passed"}]`
)

// claude is a harness whose route "routed" has these targets; the provider "claude"
// speaks Anthropic's dialect.
func claude(t testing.TB, targets []*policyv1.Target, options ...func(*proxy.Config)) *harness {
	h := newHarness(t, options...)
	h.extra = []*policyv1.Resource{
		resource(t, "provider", "claude", &policyv1.Provider{Id: "claude", Name: "claude", Dialect: policyv1.Dialect_DIALECT_ANTHROPIC,
			BaseUrl: h.upstream.URL, CredentialRef: "env://WEIR_SECRET_MOCK", PriceList: "anthropic"}),
		resource(t, "route", "r-routed", &policyv1.Route{Id: "r-routed", Name: "routed", Strategy: priority, Targets: targets}),
	}
	h.holder.Store(h.policy(h.upstream.URL))
	return h
}

var toSonnet = []*policyv1.Target{to("claude", sonnet, 0)}

// message posts to Anthropic's surface as its SDKs do.
func (h *harness) message(body string, headers ...string) (*http.Response, string) {
	h.t.Helper()
	return h.messageTo("/v1/messages", body, headers...)
}

func (h *harness) messageTo(path, body string, headers ...string) (*http.Response, string) {
	h.t.Helper()
	response, text, err := h.sendTo(context.Background(), path, "", body, append([]string{"X-Api-Key", goodKey}, headers...)...)
	if err != nil {
		h.t.Fatal(err)
	}
	return response, text
}

// direct asks the mock without the agent.
func (h *harness) direct(body string) string {
	h.t.Helper()
	request, err := http.NewRequest(http.MethodPost, h.upstream.URL+"/v1/messages", strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("X-Api-Key", upstreamKey)
	request.Header.Set("Anthropic-Version", "2023-06-01")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(text)
}

var messageID = regexp.MustCompile(`msg_\d+`)

func withoutID(text string) string { return messageID.ReplaceAllString(text, "msg") }

// told is what a record must say of an answer that the mock served whole.
func told(h *harness) ending {
	served := h.mock.Ledger().Models[sonnet].Tokens
	return ending{usagev1.Outcome_OUTCOME_OK, 200, "", reported, &usagev1.TokenUsage{Input: served.Input, Output: served.Output},
		served.Input*3_000 + served.Output*15_000}
}

func TestMessagesPassUntouched(t *testing.T) {
	for name, rest := range map[string]string{"whole": `}`, "stream": `,"stream":true}`} {
		t.Run(name, func(t *testing.T) {
			h := claude(t, toSonnet)
			body := strings.Replace(message, `"model":"routed"`, `"temperature" : 0.50,`+"\n\t"+`"model": "routed"`, 1) + rest
			sent := strings.Replace(body, `"routed"`, `"`+sonnet+`"`, 1)
			response, text := h.messageTo("/v1/messages?beta=true&key="+goodKey, body, "Anthropic-Beta", "fast-mode-2026-02-01", "Anthropic-Version", "2024-01-01")
			if response.StatusCode != 200 || response.Header.Get("X-Weir-Target") != "claude/"+sonnet {
				t.Fatal(response.Header, text)
			}
			want := told(h)
			got := h.mock.Requests()[0]
			if string(got.Body) != sent || got.Path != "/v1/messages" || got.Query != "beta=true" {
				t.Errorf("upstream got %s?%s\n%s, want\n%s", got.Path, got.Query, got.Body, sent)
			}
			for name, value := range map[string]string{"X-Api-Key": upstreamKey, "Authorization": "", "Anthropic-Beta": "fast-mode-2026-02-01",
				"Anthropic-Version": "2024-01-01", "Accept-Encoding": "identity"} {
				if got.Header.Get(name) != value {
					t.Errorf("upstream got %s: %q", name, got.Header.Get(name))
				}
			}
			if alone := h.direct(sent); withoutID(alone) != withoutID(text) {
				t.Errorf("the caller got\n%s, the upstream said\n%s", text, alone)
			}
			_, ended := h.record()
			if diff := cmp.Diff(want, endingOf(ended), protocmp.Transform()); diff != "" || ended.Surface != usagev1.Surface_SURFACE_ANTHROPIC_MESSAGES ||
				ended.Streamed != (name == "stream") || len(ended.Attempts[0].RawUsageSha256) != 32 || ended.TimeToFirstTokenUs <= 0 {
				t.Errorf("%s\n%v", diff, ended)
			}
		})
	}
}

func TestMessagesHaveAVersion(t *testing.T) {
	h := claude(t, toSonnet)
	if response, text := h.message(message + `}`); response.StatusCode != 200 {
		t.Fatal(text)
	}
	if got := h.mock.Requests()[0].Header.Get("Anthropic-Version"); got != "2023-06-01" {
		t.Errorf("upstream got version %q", got)
	}
}

// wantMessageError reads an error in Anthropic's shape.
func wantMessageError(t *testing.T, text, kind, code string) {
	t.Helper()
	var body struct {
		Type  string
		Error struct{ Type, Message, Code string }
	}
	if err := json.Unmarshal([]byte(text), &body); err != nil || body.Type != "error" || body.Error.Type != kind || body.Error.Code != code || body.Error.Message == "" {
		t.Errorf("want %s %s, got %s", kind, code, text)
	}
}

func TestMessagesAreRefusedInTheirShape(t *testing.T) {
	h := claude(t, toSonnet)
	for name, test := range map[string]struct {
		path, body string
		headers    []string
		status     int
		kind, code string
	}{
		"no_key":        {"/v1/messages", message + `}`, []string{"X-Api-Key", ""}, 401, "authentication_error", "key_missing"},
		"unknown_key":   {"/v1/messages", message + `}`, []string{"X-Api-Key", "weir_other"}, 401, "authentication_error", "key_unknown"},
		"unknown_route": {"/v1/messages", `{"model":"none"}`, nil, 404, "not_found_error", "route_unknown"},
		"not_json":      {"/v1/messages", `{"model":"routed"`, nil, 400, "invalid_request_error", "invalid_json"},
		"too_large":     {"/v1/messages", message + `,"x":"` + strings.Repeat("x", 64<<10) + `"}`, nil, 413, "request_too_large", "body_too_large"},
		"not_served":    {"/v1/messages/batches", message + `}`, nil, 404, "not_found_error", "unsupported_surface"},
	} {
		t.Run(name, func(t *testing.T) {
			response, text := h.messageTo(test.path, test.body, test.headers...)
			if response.StatusCode != test.status {
				t.Errorf("status %d", response.StatusCode)
			}
			wantMessageError(t, text, test.kind, test.code)
		})
	}
	if sent := h.mock.Requests(); len(sent) != 0 {
		t.Errorf("upstream got %v", sent)
	}
}

func TestMessagesFailOver(t *testing.T) {
	targets := []*policyv1.Target{to("claude", spare, 0), to("claude", sonnet, 0)}
	for name, test := range map[string]struct {
		fault llmtest.Fault
		rest  string
	}{
		"overloaded":           {llmtest.Fault{Kind: llmtest.Status, Status: 529}, `}`},
		"error_before_content": {llmtest.Fault{Kind: llmtest.ErrorEvent, After: 2}, `,"stream":true}`},
		"cut_before_content":   {llmtest.Fault{Kind: llmtest.Cut, After: 1}, `,"stream":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			h := claude(t, targets)
			h.mock.Script(test.fault)
			response, text := h.message(message + test.rest)
			wantHeaders(t, response, "2", "claude/"+sonnet)
			if response.StatusCode != 200 || strings.Count(text, `"type":"message"`) != 1 || strings.Contains(text, `"error"`) {
				t.Errorf("the caller got %s", text)
			}
			_, ended := h.record()
			if first, last := ended.Attempts[0], ended.Attempts[1]; first.Model != spare || first.Outcome == answered || last.Outcome != answered || last.UsageSource != reported {
				t.Errorf("recorded %v", ended)
			}
		})
	}
}

const answered = usagev1.Outcome_OUTCOME_OK

func TestBrokenMessagesEndWithAnErrorEvent(t *testing.T) {
	body := message + `,"stream":true}`
	worst := &usagev1.TokenUsage{Input: int64(len(body)), Output: 50}
	cost := int64(len(body))*3_000 + 50*15_000
	for name, test := range map[string]struct {
		fault      llmtest.Fault
		kind, code string
		want       ending
	}{
		"cut":     {llmtest.Fault{Kind: llmtest.Cut, After: 5}, "api_error", "upstream_broke", ending{broke, 200, "upstream_broke", estimated, worst, cost}},
		"silence": {llmtest.Fault{Kind: llmtest.Stall, After: 5}, "timeout_error", "upstream_timeout", ending{broke, 200, "upstream_timeout", estimated, worst, cost}},
		"error":   {llmtest.Fault{Kind: llmtest.ErrorEvent, After: 5}, "overloaded_error", "", ending{upstreamError, 200, "upstream_error", estimated, worst, cost}},
	} {
		t.Run(name, func(t *testing.T) {
			h := claude(t, toSonnet, func(c *proxy.Config) { c.IdleTimeout = 50 * time.Millisecond })
			h.mock.Script(test.fault)
			_, text := h.message(body)
			events := strings.Split(strings.TrimSuffix(text, "\n\n"), "\n\n")
			event, found := strings.CutPrefix(events[len(events)-1], "event: error\ndata: ")
			if len(events) != 6 || !found {
				t.Fatalf("events %q", events)
			}
			wantMessageError(t, event, test.kind, test.code)
			wantEnding(t, h, test.want)
		})
	}
}

// TestMessagesEndAtTheirMark: what an upstream does after it is not waited for.
func TestMessagesEndAtTheirMark(t *testing.T) {
	h := claude(t, toSonnet, func(c *proxy.Config) { c.IdleTimeout = 50 * time.Millisecond })
	h.upstream.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, `data: {"type":"message_start","message":{"content":[],"usage":{"input_tokens":10,"output_tokens":1}}}`+"\n\n"+
			`data: {"type":"message_delta","delta":{},"usage":{"output_tokens":20}}`+"\n\n"+`data: {"type":"message_stop"}`+"\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	if _, text := h.message(message + `,"stream":true}`); !strings.HasSuffix(text, `{"type":"message_stop"}`+"\n\n") {
		t.Errorf("the caller got %s", text)
	}
	if _, ended := h.record(); ended.Outcome != answered {
		t.Errorf("recorded %v", ended)
	}
}

// TestMessagesThatPriceBooksDoNotKnow are unpriced, not cheap.
func TestMessagesThatPriceBooksDoNotKnow(t *testing.T) {
	served := `{"type":"message","content":[],"stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":20`
	for name, test := range map[string]struct {
		asked, told string
		cost        int64
	}{
		"usual":        {``, `,"speed":"standard","inference_geo":"global","server_tool_use":{"web_search_requests":0}`, 330_000},
		"asked_fast":   {`,"speed":"fast"`, ``, -1},
		"served_fast":  {``, `,"speed":"fast"`, -1},
		"one_country":  {``, `,"inference_geo":"us"`, -1},
		"searches":     {``, `,"server_tool_use":{"web_search_requests":2}`, -1},
		"other_bounds": {``, `,"service_tier":"priority"`, -1},
	} {
		t.Run(name, func(t *testing.T) {
			h := claude(t, toSonnet, func(c *proxy.Config) { c.Transport = canned{answer: []byte(served + test.told + `}}`)} })
			h.message(message + test.asked + `}`)
			wantEnding(t, h, ending{answered, 200, "", reported, &usagev1.TokenUsage{Input: 10, Output: 20}, test.cost})
		})
	}
}

// TestToolsAreBoundedWithWhatTheProviderAdds to the prompt.
func TestToolsAreBoundedWithWhatTheProviderAdds(t *testing.T) {
	h := claude(t, toSonnet)
	body := message + `,"tools":[{"name":"read","input_schema":{"type":"object"}}]}`
	h.message(body)
	started, _ := h.record()
	if got := started.Attempts[0].Usage.Input; got != int64(len(body))+1000 {
		t.Errorf("an upper bound of %d for %d bytes", got, len(body))
	}
}

func TestProviderTestOfAnthropic(t *testing.T) {
	h := claude(t, toSonnet)
	var seen *http.Request
	models := func(w http.ResponseWriter, r *http.Request) {
		seen = r
		_, _ = io.WriteString(w, `{"data":[{"type":"model","id":"`+sonnet+`"}],"has_more":false}`)
	}
	h.mock.Close()
	h.upstream.Config.Handler = http.HandlerFunc(models)
	got := h.test("claude", sonnet).GetProviderTest()
	if got.GetOutcome() != ok || !got.GetModelListed() {
		t.Fatal(got)
	}
	if seen.URL.String() != "/v1/models?limit=1000" || seen.Header.Get("X-Api-Key") != upstreamKey || seen.Header.Get("Authorization") != "" ||
		seen.Header.Get("Anthropic-Version") != "2023-06-01" {
		t.Errorf("%s %v", seen.URL, seen.Header)
	}
}
