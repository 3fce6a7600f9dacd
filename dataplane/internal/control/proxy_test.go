package control_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/control"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// buffering is an HTTP/1.1 reverse proxy that passes an answer on when it has all of it,
// and gives up after 60 s.
func buffering(t *testing.T, upstream *atomic.Value) string {
	t.Helper()
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{}}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, _ := http.NewRequestWithContext(r.Context(), r.Method, upstream.Load().(string)+r.URL.Path, r.Body)
		request.Header, request.ContentLength = r.Header.Clone(), r.ContentLength
		res, err := client.Do(request)
		if err != nil {
			w.WriteHeader(http.StatusGatewayTimeout)
			return
		}
		defer res.Body.Close()
		whole := &bytes.Buffer{}
		if _, err := io.Copy(whole, res.Body); err != nil {
			w.WriteHeader(http.StatusGatewayTimeout)
			return
		}
		for name, values := range res.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(res.StatusCode)
		_, _ = whole.WriteTo(w)
	}))
	t.Cleanup(proxy.Close)
	t.Cleanup(client.CloseIdleConnections)
	return proxy.URL
}

// streaming is an HTTP/1.1 reverse proxy that passes on what comes as it comes.
func streaming(t *testing.T, upstream *atomic.Value) string {
	t.Helper()
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			to, _ := url.Parse(upstream.Load().(string))
			r.SetURL(to)
		},
		FlushInterval: -1, Transport: &http.Transport{}, ErrorLog: log.New(io.Discard, "", 0),
	})
	t.Cleanup(proxy.Close)
	return proxy.URL
}

// Changes and revocations arrive within a second whatever is between.
func TestBehindProxies(t *testing.T) {
	for name, c := range map[string]struct {
		flags []string
		proxy func(*testing.T, *atomic.Value) string // nil: nothing is between
	}{
		"http_1_buffers": {nil, buffering},
		"http_1_streams": {nil, streaming},
		"http_2":         {[]string{"-tls"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var upstream atomic.Value
			flags, between := c.flags, ""
			if c.proxy != nil {
				between = c.proxy(t, &upstream)
				flags = append(flags, "-also", between)
			}
			r, k := startControlPlane(t, flags...), &keys{}
			if upstream.Store(r.url); c.proxy != nil {
				r.url = between
			}
			config := k.config(r, t.TempDir())
			config.Timing = control.Timing{Silence: time.Second}
			client, _ := run(t, config)
			eventually(t, "the first policy is served", func() bool { known, _ := k.is("first"); return known })
			eventually(t, "the policy is confirmed", func() bool { return !client.Freshness().IsZero() })
			var took []time.Duration
			for n := range 10 {
				text := fmt.Sprint("key ", n)
				began := time.Now()
				r.tell(t, "add-key "+text)
				eventually(t, "the new key is known", func() bool { known, _ := k.is(text); return known })
				took = append(took, time.Since(began))
				began = time.Now()
				r.tell(t, "revoke "+text)
				eventually(t, "the key is revoked", func() bool { _, revoked := k.is(text); return revoked })
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			t.Logf("median %v, worst %v", took[len(took)/2], took[len(took)-1])
			if took[len(took)-1] > time.Second {
				t.Errorf("a change took %v", took[len(took)-1])
			}
		})
	}
}

func TestSilence(t *testing.T) {
	t.Run("polls_then_tries_a_stream_again", func(t *testing.T) {
		l, p := newLiar(t), &plane{}
		l.polled = func(r *agentv1.PollRequest) *agentv1.PollResponse {
			presents(t, r.GetWatch())
			if r.GetWatch().GetHave() == nil {
				return &agentv1.PollResponse{Messages: []*agentv1.WatchResponse{{Message: &agentv1.WatchResponse_Snapshot{Snapshot: l.sign(newDraft(1))}}}}
			}
			time.Sleep(time.Duration(r.GetWaitMs()) * time.Millisecond)
			return &agentv1.PollResponse{Messages: []*agentv1.WatchResponse{{Message: &agentv1.WatchResponse_Heartbeat{Heartbeat: &agentv1.Heartbeat{}}}}}
		}
		config := p.config(l.url, t.TempDir())
		config.Timing = control.Timing{Silence: 50 * time.Millisecond, Wait: 10 * time.Millisecond, Polling: 100 * time.Millisecond}
		client, _ := run(t, config)
		eventually(t, "what a poll brings is served", p.serves(1))
		eventually(t, "it is confirmed", func() bool { return !client.Freshness().IsZero() })
		eventually(t, "streams are tried again", func() bool { return l.streams() >= 3 })
		eventually(t, "a stream that speaks stays", func() bool {
			l.again(func() { l.snapshot(l.sign(newDraft(2))) })
			return p.serves(2)()
		})
	})
	t.Run("of_a_control_plane_without_polls_is_borne", func(t *testing.T) {
		l, p := newLiar(t), &plane{}
		config := p.config(l.url, t.TempDir())
		config.Timing = control.Timing{Silence: 50 * time.Millisecond}
		run(t, config)
		eventually(t, "it tries again", func() bool { return l.streams() == 2 })
		time.Sleep(500 * time.Millisecond)
		if n := l.streams(); n != 2 {
			t.Errorf("%d streams", n)
		}
	})
	t.Run("of_a_control_plane_that_answers_nothing_is_no_reason_to_poll", func(t *testing.T) {
		l, p := newLiar(t), &plane{}
		polls := atomic.Int64{}
		l.polled = func(*agentv1.PollRequest) *agentv1.PollResponse { polls.Add(1); return nil }
		config := p.config(l.url, t.TempDir())
		config.Timing = control.Timing{Silence: 50 * time.Millisecond, MaxRetry: 10 * time.Millisecond}
		run(t, config)
		eventually(t, "each stream is followed by a single call", func() bool { return l.streams() >= 4 && polls.Load() >= 3 && int64(l.streams())-polls.Load() <= 1 })
	})
}
