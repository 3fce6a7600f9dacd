package proxy_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/llmtest"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// cuttable serves the harness's handler as the agent does; cut ends all requests.
func cuttable(h *harness) (address string, cut func()) {
	ctx, end := context.WithCancelCause(context.Background())
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { h.done <- struct{}{} }()
		h.handler.ServeHTTP(w, r)
	}))
	server.Config.BaseContext = func(net.Listener) context.Context { return ctx }
	server.Start()
	h.t.Cleanup(server.Close)
	return server.URL, func() { end(proxy.ErrStopping) }
}

func postTo(t *testing.T, address, path, body string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+goodKey)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

// A stream that the agent cuts ends with the error event of its dialect; its record says
// that neither the upstream nor the caller ended it, and counts it at its most.
func TestStreamsThatAreCut(t *testing.T) {
	for name, test := range map[string]struct{ path, body, event string }{
		"chat": {"/v1/chat/completions", question + `,"stream":true}`, `data: {"error":{"message":"This agent is being stopped`},
		"messages": {"/v1/messages", `{"model":"chat","max_tokens":40,"messages":[{"role":"user","content":"how much water passed"}],"stream":true}`,
			"event: error\ndata: {\"type\":\"error\""},
		"gemini": {"/v1beta/models/chat:streamGenerateContent?alt=sse", `{"contents":[{"role":"user","parts":[{"text":"how much water passed"}]}]}`,
			`data: {"error":{"code":503`},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.mock.Script(llmtest.Fault{Kind: llmtest.Stall, After: 3})
			address, cut := cuttable(h)
			response := postTo(t, address, test.path, test.body)
			body := bufio.NewReader(response.Body)
			if _, err := body.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			cut()
			text, err := io.ReadAll(body)
			if err != nil || !strings.Contains(string(text), test.event) || !strings.Contains(string(text), "agent is being stopped") {
				t.Errorf("%v: %s", err, text)
			}
			wantCut(t, h, http.StatusOK)
		})
	}
}

func wantCut(t *testing.T, h *harness, status int32) {
	t.Helper()
	_, ended := h.record()
	a := ended.Attempts[len(ended.Attempts)-1]
	if ended.Outcome != usagev1.Outcome_OUTCOME_INTERRUPTED || ended.ErrorCode != "agent_stopping" || ended.Status != status ||
		a.Outcome != usagev1.Outcome_OUTCOME_INTERRUPTED || a.UsageSource != estimated || a.CostNanoUsd == nil {
		t.Errorf("recorded %v", ended)
	}
	if requests, failures := h.handler.Tally(); requests != 0 || failures != 0 {
		t.Errorf("%d requests, %d failures", requests, failures)
	}
}

// One of which the caller has nothing yet is answered 503, and no other target is asked.
func TestRequestsThatAreCutBeforeTheirAnswer(t *testing.T) {
	h := newHarness(t)
	h.mock.Script(llmtest.Fault{Kind: llmtest.Stall})
	address, cut := cuttable(h)
	go func() {
		for len(h.mock.Requests()) == 0 {
			time.Sleep(time.Millisecond)
		}
		cut()
	}()
	response := postTo(t, address, "/v1/chat/completions", question+`}`)
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), "agent_stopping") {
		t.Errorf("%d, %v: %s", response.StatusCode, err, text)
	}
	wantCut(t, h, http.StatusServiceUnavailable)
	if n := len(h.mock.Requests()); n != 1 {
		t.Errorf("upstream was asked %d times", n)
	}
}

// A caller that left before the agent stopped left.
func TestCallersThatLeftBeforeTheCut(t *testing.T) {
	h := newHarness(t)
	h.mock.Script(llmtest.Fault{Kind: llmtest.Stall, After: 2})
	address, cut := cuttable(h)
	response := postTo(t, address, "/v1/chat/completions", question+`,"stream":true}`)
	if _, err := bufio.NewReader(response.Body).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	_, ended := h.record()
	cut()
	if ended.Outcome != usagev1.Outcome_OUTCOME_CLIENT_CLOSED {
		t.Errorf("recorded %v", ended)
	}
}
