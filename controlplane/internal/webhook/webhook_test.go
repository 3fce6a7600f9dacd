package webhook_test

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirhq/weir/controlplane/internal/webhook"
)

var message = webhook.Message{ID: "msg_1", Sent: time.Unix(1700000000, 0), Body: []byte(`{"type":"test"}`)}

func anywhere(netip.Addr) bool { return true }

func send(t *testing.T, allow func(netip.Addr) bool, url string) webhook.Result {
	t.Helper()
	result, err := webhook.NewSender(allow).Send(t.Context(), url, []byte("key"), message)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func is(t *testing.T, got webhook.Result, delivery webhook.Delivery, status int) {
	t.Helper()
	if got.Delivery != delivery || got.Status != status {
		t.Errorf("got %+v, want %d, status %d", got, delivery, status)
	}
}

func TestSend(t *testing.T) {
	var reached atomic.Int32
	secret := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer secret.Close()
	handle := func(h http.HandlerFunc) string {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return server.URL
	}
	t.Run("accepted", func(t *testing.T) {
		var got *http.Request
		url := handle(func(_ http.ResponseWriter, r *http.Request) { got = r })
		is(t, send(t, anywhere, url+"/path"), webhook.Accepted, 200)
		// echo -n 'msg_1.1700000000.{"type":"test"}' | openssl dgst -sha256 -hmac key -binary | base64
		const want = "v1,hwXGK4tLr7WdTbJ4AcgKrIah1qlhaySNxklTrUoYzNk="
		if signature := got.Header.Get("Webhook-Signature"); signature != want || got.Method != http.MethodPost || got.URL.Path != "/path" {
			t.Errorf("got %s %s with %s", got.Method, got.URL.Path, signature)
		}
	})
	// What the reference implementations of Standard Webhooks test themselves with.
	t.Run("signed_as_the_specification_does", func(t *testing.T) {
		var got http.Header
		url := handle(func(_ http.ResponseWriter, r *http.Request) { got = r.Header })
		key, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
		if err != nil {
			t.Fatal(err)
		}
		known := webhook.Message{ID: "msg_p5jXN8AQM9LWM0D4loKWxJek", Sent: time.Unix(1614265330, 0), Body: []byte(`{"test": 2432232314}`)}
		if _, err := webhook.NewSender(anywhere).Send(t.Context(), url, key, known); err != nil {
			t.Fatal(err)
		}
		if signature := got.Get("webhook-signature"); signature != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
			t.Errorf("got %s", signature)
		}
	})
	t.Run("retry_after", func(t *testing.T) {
		for _, c := range []struct {
			status   int
			said     string
			min, max time.Duration
		}{
			{429, "7", 7 * time.Second, 7 * time.Second},
			{503, "7", 7 * time.Second, 7 * time.Second},
			{429, time.Now().Add(time.Hour).UTC().Format(http.TimeFormat), 59 * time.Minute, time.Hour},
			{429, time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat), 0, 0},
			{429, "4294967295", 4294967295 * time.Second, 4294967295 * time.Second},
			{429, "99999999999999999999", 0, 0}, {429, "-1", 0, 0}, {429, "soon", 0, 0}, {429, "", 0, 0},
			{400, "7", 0, 0}, {200, "7", 0, 0},
		} {
			url := handle(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", c.said)
				w.WriteHeader(c.status)
			})
			if got := send(t, anywhere, url).RetryAfter; got < c.min || got > c.max {
				t.Errorf("%d with %q: got %s", c.status, c.said, got)
			}
		}
	})
	t.Run("refused", func(t *testing.T) {
		url := handle(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
		is(t, send(t, anywhere, url), webhook.Refused, 502)
	})
	t.Run("no_redirect_is_followed", func(t *testing.T) {
		url := handle(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, secret.URL, http.StatusTemporaryRedirect)
		})
		is(t, send(t, anywhere, url), webhook.Refused, 307)
		if reached.Load() != 0 {
			t.Error("the redirect was followed")
		}
	})
	t.Run("addresses_are_checked_when_connecting", func(t *testing.T) {
		named := strings.Replace(secret.URL, "127.0.0.1", "localhost", 1)
		for _, url := range []string{secret.URL, named} {
			is(t, send(t, func(a netip.Addr) bool { return !a.IsLoopback() }, url), webhook.NotAllowed, 0)
		}
		if reached.Load() != 0 {
			t.Error("an address that is not allowed was reached")
		}
	})
	t.Run("no_proxy_of_the_environment", func(t *testing.T) {
		t.Setenv("HTTP_PROXY", secret.URL)
		url := handle(func(http.ResponseWriter, *http.Request) {})
		is(t, send(t, anywhere, url), webhook.Accepted, 200)
	})
	t.Run("unreachable", func(t *testing.T) {
		gone := httptest.NewServer(http.NotFoundHandler())
		gone.Close()
		is(t, send(t, anywhere, gone.URL), webhook.Unreachable, 0)
		url := handle(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		is(t, send(t, anywhere, url), webhook.Unreachable, 0)
	})
	t.Run("an_unknown_certificate", func(t *testing.T) {
		server := httptest.NewTLSServer(http.NotFoundHandler())
		defer server.Close()
		is(t, send(t, anywhere, server.URL), webhook.TLSFailed, 0)
		is(t, send(t, anywhere, strings.Replace(secret.URL, "http:", "https:", 1)), webhook.TLSFailed, 0)
	})
	t.Run("timed_out", func(t *testing.T) {
		over := make(chan struct{})
		url := handle(func(http.ResponseWriter, *http.Request) { <-over })
		result, err := webhook.NewSender(anywhere).Within(50*time.Millisecond).Send(t.Context(), url, nil, message)
		close(over)
		if err != nil {
			t.Fatal(err)
		}
		is(t, result, webhook.TimedOut, 0)
	})
	t.Run("a_body_without_end_is_not_read", func(t *testing.T) {
		url := handle(func(w http.ResponseWriter, _ *http.Request) {
			for err := error(nil); err == nil; {
				_, err = w.Write(make([]byte, 4096))
			}
		})
		is(t, send(t, anywhere, url), webhook.Accepted, 200)
	})
	t.Run("the_caller_goes_away", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := webhook.NewSender(anywhere).Send(ctx, secret.URL, []byte("key"), message)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}
