package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	"github.com/weirhq/weir/dataplane/llmtest"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const spoken = `{"model":"chat","input":"how much water","voice":"alloy"}`

// speak asks for speech and leaves the answer to be read.
func (h *harness) speak() *http.Response {
	h.t.Helper()
	request, err := http.NewRequest(http.MethodPost, h.agent.URL+"/v1/audio/speech", strings.NewReader(spoken))
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+goodKey)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// TestSpeechPassesAsItComes but for its last byte, which waits for the end of the record.
func TestSpeechPassesAsItComes(t *testing.T) {
	heard := make(chan struct{})
	h := newHarness(t)
	h.upstream.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "audio/mpeg")
		_, _ = io.WriteString(w, "0123456789")
		_ = http.NewResponseController(w).Flush()
		<-heard
		_, _ = io.WriteString(w, "abc")
	})
	ended := func() int {
		h.recorder.mu.Lock()
		defer h.recorder.mu.Unlock()
		return len(h.recorder.ended)
	}
	response := h.speak()
	first := make([]byte, 9)
	if _, err := io.ReadFull(response.Body, first); err != nil || string(first) != "012345678" || ended() != 0 {
		t.Fatalf("%q %v, %d records ended", first, err, ended())
	}
	close(heard)
	almost := make([]byte, 4)
	if _, err := io.ReadFull(response.Body, almost); err != nil || string(almost) != "9abc" || ended() != 1 {
		t.Fatalf("%q %v, %d records ended", almost, err, ended())
	}
	if rest, err := io.ReadAll(response.Body); err != nil || len(rest) != 0 {
		t.Errorf("%q %v", rest, err)
	}
	wantEnding(t, h, ending{answered, 200, "", unknown, noTokens, -1})
}

// TestSpeechThatBreaks is no whole answer to the caller.
func TestSpeechThatBreaks(t *testing.T) {
	for name, test := range map[string]struct {
		fault llmtest.Fault
		code  string
	}{
		"cut":     {llmtest.Fault{Kind: llmtest.Cut, After: 2}, "upstream_broke"},
		"stalled": {llmtest.Fault{Kind: llmtest.Stall, After: 2}, "upstream_timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, func(c *proxy.Config) { c.IdleTimeout = 100 * time.Millisecond })
			h.mock.Script(test.fault)
			response := h.speak()
			audio, err := io.ReadAll(response.Body)
			if response.StatusCode != 200 || err == nil || !strings.HasPrefix(string(llmtest.Speech("how"))+string(llmtest.Speech("much"))+string(llmtest.Speech("water")), string(audio)) || len(audio) < 256 {
				t.Errorf("%d, %d bytes, %v", response.StatusCode, len(audio), err)
			}
			wantEnding(t, h, ending{broke, 200, test.code, unknown, noTokens, -1})
		})
	}
}

// TestSpeechThatNeverBegins is answered with an error.
func TestSpeechThatNeverBegins(t *testing.T) {
	for name, test := range map[string]struct {
		kind, body string
		status     int
		want       string
		outcome    usagev1.Outcome
	}{
		"empty":    {"audio/mpeg", "", 502, "upstream_empty", broke},
		"error":    {"application/json", `{"error":{"message":"no voice"}}`, 200, "no voice", upstreamError},
		"one_byte": {"audio/wav", "x", 200, "x", answered},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.upstream.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", test.kind)
				_, _ = io.WriteString(w, test.body)
			})
			response := h.speak()
			text, err := io.ReadAll(response.Body)
			if response.StatusCode != test.status || err != nil || !strings.Contains(string(text), test.want) {
				t.Errorf("%d %s %v", response.StatusCode, text, err)
			}
			if _, ended := h.record(); ended.Outcome != test.outcome || ended.Attempts[0].CostNanoUsd != nil {
				t.Errorf("recorded %v", ended)
			}
		})
	}
}

// TestWhoLeavesSpeech is recorded as gone.
func TestWhoLeavesSpeech(t *testing.T) {
	h := newHarness(t)
	left := make(chan struct{})
	h.upstream.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "audio/mpeg")
		_, _ = io.WriteString(w, "0123456789")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(left)
	})
	response := h.speak()
	if _, err := io.ReadFull(response.Body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	<-left
	wantEnding(t, h, ending{usagev1.Outcome_OUTCOME_CLIENT_CLOSED, 200, "", unknown, noTokens, -1})
}
