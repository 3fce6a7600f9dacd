package proxy_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/dataplane/internal/balance"
	"github.com/weirhq/weir/dataplane/internal/proxy"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// act is how an upstream answers one call.
type act func(c *call) (*http.Response, error)

// call is one that an upstream got: when, and when its caller left; 0: it did not.
type call struct {
	model    string
	stream   bool
	ctx      context.Context
	at, left time.Duration
}

// stage is a transport whose upstreams, by model, answer as they are told: the next act each
// time, and the last one for ever.
type stage struct {
	mu    sync.Mutex
	begun time.Time
	acts  map[string][]act
	calls []*call
	// asked is called before an upstream sees a call; nil: nothing is.
	asked func(model string)
	// sent is called before its body is read; nil: nothing is.
	sent func(*http.Request)
}

func (s *stage) RoundTrip(r *http.Request) (*http.Response, error) {
	defer r.Body.Close()
	if s.sent != nil {
		s.sent(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	_, after, _ := bytes.Cut(body, []byte(`"model":"`))
	model, _, _ := bytes.Cut(after, []byte(`"`))
	c := &call{model: string(model), stream: bytes.Contains(body, []byte(`"stream":true`)), ctx: r.Context()}
	if s.asked != nil {
		s.asked(c.model)
	}
	s.mu.Lock()
	c.at = time.Since(s.begun)
	s.calls = append(s.calls, c)
	acts := s.acts[c.model]
	if len(acts) > 1 {
		s.acts[c.model] = acts[1:]
	}
	s.mu.Unlock()
	context.AfterFunc(r.Context(), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		c.left = time.Since(s.begun)
	})
	return acts[0](c)
}

// seen are the calls of each model so far.
func (s *stage) seen() (all []call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		all = append(all, *c)
	}
	return all
}

func (c *call) sleep(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-c.ctx.Done():
		return c.ctx.Err()
	}
}

// speaks has its first content after so long: all of it, where it does not stream.
func speaks(after time.Duration) act { return speaksOn(after, 0) }

// speaksOn goes on for so long then.
func speaksOn(after, on time.Duration) act {
	return func(c *call) (*http.Response, error) {
		if !c.stream {
			if err := c.sleep(after + on); err != nil {
				return nil, err
			}
			return said(200, `{"choices":[{"index":0,"message":{"role":"assistant","content":"`+c.model+`"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":20}}`), nil
		}
		return c.streams(func(w io.Writer) error {
			_, _ = io.WriteString(w, opening)
			if err := c.sleep(after); err != nil {
				return err
			}
			_, _ = io.WriteString(w, `data: {"choices":[{"index":0,"delta":{"content":"`+c.model+`"},"finish_reason":null}]}`+"\n\n")
			if err := c.sleep(on); err != nil {
				return err
			}
			_, err := io.WriteString(w, `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\n\n"+
				`data: {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":20}}`+"\n\ndata: [DONE]\n\n")
			return err
		}), nil
	}
}

// fails answers with a status after so long.
func fails(after time.Duration, status int) act {
	return func(c *call) (*http.Response, error) {
		if err := c.sleep(after); err != nil {
			return nil, err
		}
		return said(status, `{"error":{"message":"`+c.model+` fails"}}`), nil
	}
}

// breaks ends its answer after so long, without any content.
func breaks(after time.Duration) act {
	return func(c *call) (*http.Response, error) {
		return c.streams(func(w io.Writer) error {
			_, _ = io.WriteString(w, opening)
			if err := c.sleep(after); err != nil {
				return err
			}
			return errors.New("connection reset")
		}), nil
	}
}

func (c *call) streams(write func(w io.Writer) error) *http.Response {
	from, to := io.Pipe()
	context.AfterFunc(c.ctx, func() { _ = to.CloseWithError(c.ctx.Err()) })
	go func() { _ = to.CloseWithError(write(to)) }()
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {sseType}}, Body: from, ContentLength: -1}
}

// hedging is a harness whose route "routed" hedges: to gpt-4o first, then odd-model, then
// dear-model.
func hedging(t *testing.T, route *policyv1.Route, options ...func(*proxy.Config)) (*harness, *stage) {
	s := &stage{acts: map[string][]act{}}
	h := newHarness(t, append(options, func(c *proxy.Config) { c.Transport = s })...)
	h.routed(route)
	return h, s
}

func hedgedRoute(retry *policyv1.Retry, targets int) *policyv1.Route {
	return &policyv1.Route{Strategy: priority, Retry: retry, Hedge: &policyv1.Hedge{MinMs: 100},
		Targets: []*policyv1.Target{to("mock", "gpt-4o", 0), to("mock", "odd-model", 0), to("mock", "dear-model", 0)}[:targets]}
}

// learn has the first target answer so often within 10 ms that a hedge is thought of.
func (s *stage) learn(t *testing.T, h *harness, stream string, times int) {
	t.Helper()
	s.acts["gpt-4o"] = []act{speaks(10 * time.Millisecond)}
	for range times {
		w := httptest.NewRecorder()
		h.handler.ServeHTTP(w, toRouted(t.Context(), stream))
		if w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	synctest.Wait() // calls that were let go are noted
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls, s.begun = nil, time.Now()
}

const enoughTimes = balance.EnoughTimes

// timesOf are when a model was asked and left, in ms; -1: not left.
func timesOf(calls []call, model string) (times [][2]int) {
	for _, c := range calls {
		if c.model == model {
			times = append(times, [2]int{int(c.at.Milliseconds()), int(c.left.Milliseconds())})
		}
	}
	return times
}

func textOf(w *httptest.ResponseRecorder) string {
	return strings.ReplaceAll(w.Body.String(), "\n\n", "\n")
}
