package llmtest_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/dataplane/llmtest"
)

func TestStatusFaults(t *testing.T) {
	mock, server := start(t, llmtest.Options{})
	mock.Script(
		llmtest.Fault{Kind: llmtest.Status, Status: 429, RetryAfter: 1500 * time.Millisecond},
		llmtest.Fault{Kind: llmtest.Status, Status: 529, Times: 2},
	)
	for i, want := range []int{429, 529, 529, 200} {
		response := post(t, server, chatBody(t, `{}`, false), nil)
		if response.StatusCode != want {
			t.Errorf("request %d: status %d, want %d", i, response.StatusCode, want)
		}
		if i == 0 && response.Header.Get("Retry-After") != "2" {
			t.Errorf("retry-after %q", response.Header.Get("Retry-After"))
		}
	}
	if got := mock.Ledger().Total; got.Failed != 3 || got.Completed != 1 || got.Tokens.Output != 20 {
		t.Errorf("ledger %+v", got)
	}
}

func TestFaultsOfOneModelWaitForIt(t *testing.T) {
	mock, server := start(t, llmtest.Options{})
	mock.Script(llmtest.Fault{Kind: llmtest.Status, Status: 500, Model: "other"}, llmtest.Fault{Kind: llmtest.Status, Status: 503})
	first := post(t, server, chatBody(t, `{}`, false), nil)
	second := post(t, server, strings.Replace(chatBody(t, `{}`, false), `"model":"m"`, `"model":"other"`, 1), nil)
	if first.StatusCode != 503 || second.StatusCode != 500 {
		t.Errorf("status %d and %d", first.StatusCode, second.StatusCode)
	}
}

func TestStreamFaults(t *testing.T) {
	for name, test := range map[string]struct {
		fault  llmtest.Fault
		check  func(t *testing.T, data []string, err error)
		output int64
	}{
		"cut": {llmtest.Fault{Kind: llmtest.Cut, After: 3}, func(t *testing.T, data []string, err error) {
			if !errors.Is(err, io.ErrUnexpectedEOF) || len(data) != 4 || json.Valid([]byte(data[3])) {
				t.Errorf("%d events, the last %q, %v", len(data), data[len(data)-1], err)
			}
		}, 3},
		"malformed": {llmtest.Fault{Kind: llmtest.Malformed, After: 1}, func(t *testing.T, data []string, err error) {
			if err != nil || json.Valid([]byte(data[1])) || data[len(data)-1] != "[DONE]" {
				t.Errorf("events %q, %v", data, err)
			}
		}, 20},
		"huge": {llmtest.Fault{Kind: llmtest.Huge, After: 1, Size: 1 << 20}, func(t *testing.T, data []string, err error) {
			if err != nil || len(data[1]) < 1<<20 || !json.Valid([]byte(data[1])) {
				t.Errorf("second event of %d bytes, %v", len(data[1]), err)
			}
		}, 21},
		"error_event": {llmtest.Fault{Kind: llmtest.ErrorEvent, After: 2}, func(t *testing.T, data []string, err error) {
			if err != nil || len(data) != 3 || !strings.HasPrefix(data[2], `{"error":{`) {
				t.Errorf("events %q, %v", data, err)
			}
		}, 2},
		"no_usage": {llmtest.Fault{Kind: llmtest.NoUsage}, func(t *testing.T, data []string, err error) {
			if err != nil || strings.Contains(strings.Join(data, ""), "usage") || data[len(data)-1] != "[DONE]" {
				t.Errorf("events %q, %v", data, err)
			}
		}, 20},
		"no_done": {llmtest.Fault{Kind: llmtest.NoDone}, func(t *testing.T, data []string, err error) {
			if err != nil || !strings.Contains(data[len(data)-1], "prompt_tokens") {
				t.Errorf("events %q, %v", data, err)
			}
		}, 20},
	} {
		t.Run(name, func(t *testing.T) {
			mock, server := start(t, llmtest.Options{})
			mock.Script(test.fault)
			data, err := events(t, post(t, server, chatBody(t, `{}`, true), nil).Body)
			test.check(t, data, err)
			server.Close()
			if got := mock.Ledger().Total.Tokens.Output; got != test.output {
				t.Errorf("the ledger counts %d output tokens, want %d", got, test.output)
			}
		})
	}
}

func TestUnstreamedFaults(t *testing.T) {
	for name, test := range map[string]struct {
		kind  llmtest.Kind
		check func(response *http.Response, body []byte, err error) bool
	}{
		"cut": {llmtest.Cut, func(_ *http.Response, _ []byte, err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		"malformed": {llmtest.Malformed, func(_ *http.Response, body []byte, err error) bool {
			return err == nil && !json.Valid(body)
		}},
		"error_body": {llmtest.ErrorBody, func(r *http.Response, body []byte, err error) bool {
			return r.StatusCode == 200 && strings.Contains(string(body), `"type":"server_error"`)
		}},
		"content_type": {llmtest.ContentType, func(r *http.Response, _ []byte, err error) bool {
			return r.StatusCode == 200 && strings.HasPrefix(r.Header.Get("Content-Type"), "text/html")
		}},
		"reset": {llmtest.Reset, func(r *http.Response, _ []byte, _ error) bool { return r == nil }},
		"empty": {llmtest.Empty, func(r *http.Response, body []byte, err error) bool {
			return r.StatusCode == 200 && err == nil && len(body) == 0 && r.Header.Get("Content-Type") == "application/json"
		}},
		"no_usage": {llmtest.NoUsage, func(_ *http.Response, body []byte, err error) bool {
			return json.Valid(body) && !strings.Contains(string(body), "usage")
		}},
		"huge": {llmtest.Huge, func(_ *http.Response, body []byte, err error) bool { return json.Valid(body) && len(body) > 8<<20 }},
	} {
		t.Run(name, func(t *testing.T) {
			_, server := start(t, llmtest.Options{})
			fault, err := json.Marshal(llmtest.Fault{Kind: test.kind})
			if err != nil {
				t.Fatal(err)
			}
			request, err := http.NewRequest(http.MethodPost, server.URL+"/v1/chat/completions", strings.NewReader(chatBody(t, `{}`, false)))
			if err != nil {
				t.Fatal(err)
			}
			request.Header = http.Header{llmtest.FaultHeader: {string(fault)}, "Authorization": {"Bearer " + apiKey}}
			response, err := http.DefaultClient.Do(request)
			var body []byte
			if err == nil {
				defer response.Body.Close()
				body, err = io.ReadAll(response.Body)
			}
			if !test.check(response, body, err) {
				t.Errorf("%d bytes, %v", len(body), err)
			}
		})
	}
}

func TestCancellation(t *testing.T) {
	for name, test := range map[string]struct {
		ignore bool
		want   llmtest.Served
	}{
		"stops_generating": {false, llmtest.Served{Requests: 1, Interrupted: 1, Tokens: llmtest.Tokens{Input: 8, Output: 1}}},
		"ignored":          {true, llmtest.Served{Requests: 1, Completed: 1, Tokens: llmtest.Tokens{Input: 8, Output: 20}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mock := llmtest.New(llmtest.Options{APIKey: apiKey, TokenDelay: time.Second})
				mock.Script(llmtest.Fault{IgnoreCancel: test.ignore})
				ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
				defer cancel()
				request, err := http.NewRequestWithContext(ctx, http.MethodPost, "/v1/chat/completions", strings.NewReader(chatBody(t, `{}`, true)))
				if err != nil {
					t.Fatal(err)
				}
				request.Header.Set("Authorization", "Bearer "+apiKey)
				mock.ServeHTTP(&goneAfter{ctx: ctx, header: http.Header{}}, request)
				if diff := cmp.Diff(test.want, mock.Ledger().Total); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// goneAfter is the writer of a connection that breaks when its context ends.
type goneAfter struct {
	ctx    context.Context
	header http.Header
}

func (g *goneAfter) Header() http.Header         { return g.header }
func (g *goneAfter) WriteHeader(int)             {}
func (g *goneAfter) FlushError() error           { return g.ctx.Err() }
func (g *goneAfter) Write(p []byte) (int, error) { return len(p), g.ctx.Err() }

func TestDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := llmtest.New(llmtest.Options{APIKey: apiKey, Delay: 2 * time.Second, TokenDelay: 100 * time.Millisecond})
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/chat/completions", strings.NewReader(chatBody(t, `{}`, true)))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+apiKey)
		began := time.Now()
		mock.ServeHTTP(&goneAfter{ctx: t.Context(), header: http.Header{}}, request)
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("took %s, want 2s and 20 tokens of 100ms", took)
		}
	})
}

func TestControlEndpoints(t *testing.T) {
	mock, server := start(t, llmtest.Options{})
	script := func(body string) int {
		response, err := http.Post(server.URL+"/_script", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	for name, body := range map[string]string{
		"unknown_kind": `[{"kind":"explode"}]`, "no_status": `[{"kind":"status"}]`, "negative": `[{"after":-1}]`,
		"bad_duration": `[{"delay":"soon"}]`, "not_a_list": `{}`,
	} {
		if got := script(body); got != 400 {
			t.Errorf("%s: status %d", name, got)
		}
	}
	if got := script(`[{"kind":"status","status":503,"retry_after":"2s"}]`); got != 204 {
		t.Fatalf("status %d", got)
	}
	if got := post(t, server, chatBody(t, `{}`, false), nil); got.StatusCode != 503 || got.Header.Get("Retry-After") != "2" {
		t.Errorf("status %d, %v", got.StatusCode, got.Header)
	}
	response, err := http.Get(server.URL + "/_ledger")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var ledger llmtest.Ledger
	if err := json.NewDecoder(response.Body).Decode(&ledger); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(mock.Ledger(), ledger); diff != "" || ledger.Total.Failed != 1 {
		t.Errorf("ledger %+v: %s", ledger, diff)
	}
}

func TestFaultForm(t *testing.T) {
	fault := llmtest.Fault{
		Kind: llmtest.Cut, Model: "m", Times: 2, After: 3, RetryAfter: time.Second, Size: 4, Delay: time.Millisecond,
		TokenDelay: time.Microsecond, AnswerTokens: 5, CachedTokens: 6, ReasoningTokens: 7, IgnoreCancel: true,
	}
	text, err := json.Marshal(fault)
	if err != nil {
		t.Fatal(err)
	}
	var back llmtest.Fault
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fault, back); diff != "" {
		t.Error(diff)
	}
}
