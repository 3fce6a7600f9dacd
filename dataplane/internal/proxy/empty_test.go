package proxy_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// against makes an agent whose provider is the handler.
func against(t *testing.T, handler http.HandlerFunc) *harness {
	t.Helper()
	upstream := httptest.NewServer(handler)
	t.Cleanup(upstream.Close)
	h := newHarness(t)
	h.holder.Store(h.policy(upstream.URL))
	return h
}

func TestUpstreamThatSaysNothing(t *testing.T) {
	body := question + `,"max_tokens":50}`
	usage, cost := worst(body, 50)
	for status, want := range map[int]ending{
		204: {usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, 502, "upstream_empty", none, noTokens, 0},
		205: {usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, 502, "upstream_empty", none, noTokens, 0},
		200: {usagev1.Outcome_OUTCOME_UPSTREAM_BROKE, 502, "upstream_empty", estimated, usage, cost},
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			h := against(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
			response, text := h.post(goodKey, body)
			wantError(t, response, text, 502, "upstream_empty")
			wantEnding(t, h, want)
		})
	}
}

func TestUpstreamThatLeavesHTTP(t *testing.T) {
	closed := make(chan error, 1)
	h := against(t, func(w http.ResponseWriter, _ *http.Request) {
		connection, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer connection.Close()
		_, _ = io.WriteString(connection, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		_ = connection.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, err = io.Copy(io.Discard, buffered)
		closed <- err
	})
	response, text := h.post(goodKey, question+`}`)
	wantError(t, response, text, 502, "upstream_empty")
	if response.Header.Get("Upgrade") != "" {
		t.Error("the caller was told of the upgrade")
	}
	if err := <-closed; err != nil {
		t.Errorf("the connection to the provider stays open: %v", errors.Unwrap(err))
	}
	wantEnding(t, h, ending{usagev1.Outcome_OUTCOME_UPSTREAM_ERROR, 502, "upstream_empty", none, noTokens, 0})
}

func TestHeadersOfTheProvidersOriginStay(t *testing.T) {
	foreign := []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers", "Location",
		"Content-Location", "Set-Cookie", "Alt-Svc", "Strict-Transport-Security", "Content-Security-Policy", "Nel", "Report-To", "Www-Authenticate"}
	for _, streamed := range []bool{false, true} {
		h := against(t, func(w http.ResponseWriter, _ *http.Request) {
			for _, name := range foreign {
				w.Header().Set(name, "https://provider.example")
			}
			w.Header().Set("Openai-Processing-Ms", "7")
			if streamed {
				w.Header().Set("Content-Type", "text/event-stream")
				_, _ = io.WriteString(w, "data: [DONE]\n\n")
				return
			}
			_, _ = io.WriteString(w, `{"choices":[]}`)
		})
		response, text := h.post(goodKey, question+`}`)
		for _, name := range foreign {
			if value := response.Header.Get(name); value != "" {
				t.Errorf("%s: %s passed", name, value)
			}
		}
		if response.StatusCode != 200 || response.Header.Get("Openai-Processing-Ms") != "7" || strings.Contains(text, "error") {
			t.Errorf("%d %v %s", response.StatusCode, response.Header, text)
		}
	}
}
