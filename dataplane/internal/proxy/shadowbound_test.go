package proxy_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// gate is a transport that holds back what goes to the shadow, before a byte of it is read.
type gate struct {
	http.RoundTripper
	arrived, open chan struct{}
}

func newGate(c *proxy.Config) *gate {
	g := &gate{RoundTripper: c.Transport, arrived: make(chan struct{}, 100), open: make(chan struct{})}
	c.Transport = g
	return g
}

func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/shadow/v1/chat/completions") {
		return g.RoundTripper.RoundTrip(r)
	}
	g.arrived <- struct{}{}
	select {
	case <-g.open:
	case <-r.Context().Done():
		r.Body.Close()
		return nil, r.Context().Err()
	}
	there := *r.URL
	there.Path = strings.TrimPrefix(there.Path, "/shadow")
	r.URL = &there
	return g.RoundTripper.RoundTrip(r)
}

// gated is a harness whose copies go through a gate.
func gated(t *testing.T, options ...func(*proxy.Config)) (*harness, *gate) {
	var g *gate
	h := newHarness(t, append(options, func(c *proxy.Config) { g = newGate(c) })...)
	route := shadowed(to("beside", "dear-model", 0), 1000)
	route.Id, route.Name = "r-routed", "routed"
	h.extra = []*policyv1.Resource{resource(t, "route", route.Id, route),
		resource(t, "provider", "beside", &policyv1.Provider{Id: "beside", Name: "beside", Dialect: policyv1.Dialect_DIALECT_OPENAI,
			BaseUrl: h.upstream.URL + "/shadow/v1", CredentialRef: "env://WEIR_SECRET_MOCK", PriceList: "openai"})}
	h.holder.Store(h.policy(h.upstream.URL))
	return h, g
}

// lateCopies is a recorder that holds back the starts of copies.
type lateCopies struct {
	*fakeRecorder
	arrived, open chan struct{}
}

func (l *lateCopies) Start(r *usagev1.UsageRecord) (uint64, error) {
	if r.Kind == usagev1.Kind_KIND_SHADOW {
		l.arrived <- struct{}{}
		<-l.open
	}
	return l.fakeRecorder.Start(r)
}

// TestACopyDelaysNothing: the answer is there while the copy has not begun. Then it is sent the
// body that it is a copy of, whatever the agent read meanwhile.
func TestACopyDelaysNothing(t *testing.T) {
	g := &lateCopies{arrived: make(chan struct{}, 100), open: make(chan struct{})}
	h := newHarness(t, func(c *proxy.Config) { g.fakeRecorder, c.Recorder = c.Recorder.(*fakeRecorder), g })
	h.routed(shadowed(toDear, 1000))
	bodies := map[string]bool{}
	var all sync.WaitGroup
	for i := range 20 {
		said := fmt.Sprintf(`{"model":"routed","messages":[{"role":"user","content":"%s"}]}`, strings.Repeat(string(rune('a'+i)), 2000))
		bodies[strings.Replace(said, `"routed"`, `"dear-model"`, 1)] = true
		all.Go(func() {
			if response, text, err := h.send(context.Background(), goodKey, said); err != nil || response.StatusCode != 200 {
				t.Errorf("%v %v %s", err, response, text)
			}
		})
	}
	all.Wait()
	for range bodies {
		<-g.arrived
	}
	for range 20 {
		h.post(goodKey, toRoute("odd", `,"note":"`+strings.Repeat("z", 2000)+`"`))
	}
	close(g.open)
	if _, copies := h.copies(); len(copies) != 20 {
		t.Errorf("%d copies", len(copies))
	}
	for _, sent := range h.mock.Requests() {
		if strings.Contains(string(sent.Body), "dear-model") {
			if !bodies[string(sent.Body)] {
				t.Errorf("the shadow got %.80s", sent.Body)
			}
			delete(bodies, string(sent.Body))
		}
	}
	if len(bodies) != 0 {
		t.Errorf("%d bodies did not come", len(bodies))
	}
}

func TestCopiesAreBounded(t *testing.T) {
	for name, test := range map[string]struct {
		bound  func(*proxy.Config)
		reason string
	}{
		"number": {func(c *proxy.Config) { c.MaxShadows = 1 }, "busy"},
		"bytes":  {func(c *proxy.Config) { c.MaxShadowBytes = 100 << 10 }, "memory"},
	} {
		t.Run(name, func(t *testing.T) {
			h, g := gated(t, test.bound)
			large := toRoute("routed", `,"note":"`+strings.Repeat("z", 60<<10)+`"`)
			for range 3 {
				if response, text := h.post(goodKey, large); response.StatusCode != 200 {
					t.Fatalf("%d %s", response.StatusCode, text)
				}
			}
			if got := h.dropped(test.reason); got != 2 {
				t.Errorf("%v dropped", got)
			}
			close(g.open)
			if _, copies := h.copies(); len(copies) != 1 {
				t.Errorf("recorded %v", copies)
			}
			h.post(goodKey, large)
			if got := h.dropped("stopping"); got != 1 {
				t.Errorf("%v dropped after the end", got)
			}
		})
	}
}

// TestTheRoomOfACopyComesBack when it is over: in the end one more finds it.
func TestTheRoomOfACopyComesBack(t *testing.T) {
	h, g := gated(t, func(c *proxy.Config) { c.MaxShadows, c.MaxShadowBytes = 1, 1000 })
	close(g.open)
	for made := 0; made < 3; {
		h.post(goodKey, toRoute("routed", `,"note":"`+strings.Repeat("z", 500)+`"`)) // dropped where the one before is still there
		<-h.done
		for len(g.arrived) > 0 {
			<-g.arrived
			made++
		}
	}
	h.copies()
}

// TestACallerThatLeavesEndsNoCopy: its request has ended, the copy goes on.
func TestACallerThatLeavesEndsNoCopy(t *testing.T) {
	h, g := gated(t)
	conn := h.connect(head(goodKey, len(toRoute("routed", `,"stream":true`))) + toRoute("routed", `,"stream":true`))
	<-g.arrived
	_ = conn.Close()
	<-h.done
	close(g.open)
	if _, copies := h.copies(); len(copies) != 1 || copies[0].Outcome != answered || copies[0].Attempts[0].UsageSource != reported {
		t.Errorf("recorded %v", copies)
	}
}

// TestTheEndOfTheAgentEndsCopies: what it does not wait for is settled at its most.
func TestTheEndOfTheAgentEndsCopies(t *testing.T) {
	h, g := gated(t)
	h.post(goodKey, toRoute("routed", ""))
	<-g.arrived
	over, cancel := context.WithCancel(context.Background())
	cancel()
	h.handler.Stop(over)
	_, copies := h.copies()
	if len(copies) != 1 || copies[0].Outcome != usagev1.Outcome_OUTCOME_INTERRUPTED || copies[0].Attempts[0].Outcome != usagev1.Outcome_OUTCOME_INTERRUPTED {
		t.Errorf("recorded %v", copies)
	}
}

// TestACopyThatPanics takes nobody along.
func TestACopyThatPanics(t *testing.T) {
	h := newHarness(t, func(c *proxy.Config) { c.Transport = trap{c.Transport} })
	h.routed(shadowed(to("dead", "gpt-4o", 0), 1000))
	if response, text := h.post(goodKey, toRoute("routed", "")); response.StatusCode != 200 {
		t.Fatalf("%d %s", response.StatusCode, text)
	}
	_, copies := h.copies()
	if len(copies) != 1 || copies[0].Outcome != usagev1.Outcome_OUTCOME_INTERRUPTED || strings.Contains(h.log.String(), "canary") {
		t.Errorf("recorded %v, logged %s", copies, h.log.String())
	}
}

// trap panics with what must not be logged.
type trap struct{ http.RoundTripper }

func (tr trap) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Port() == "1" {
		_, _ = io.Copy(io.Discard, r.Body)
		panic("canary of a body")
	}
	return tr.RoundTripper.RoundTrip(r)
}

// onlyRequests is a recorder without room for copies.
type onlyRequests struct{ *fakeRecorder }

func (o onlyRequests) Start(r *usagev1.UsageRecord) (uint64, error) {
	if r.Kind == usagev1.Kind_KIND_SHADOW {
		return 0, errFull
	}
	return o.fakeRecorder.Start(r)
}

func TestNoCopyWithoutARecord(t *testing.T) {
	h := newHarness(t, func(c *proxy.Config) { c.Recorder = onlyRequests{c.Recorder.(*fakeRecorder)} })
	h.routed(shadowed(toDear, 1000))
	if response, text := h.post(goodKey, toRoute("routed", "")); response.StatusCode != 200 {
		t.Fatalf("%d %s", response.StatusCode, text)
	}
	requests, copies := h.copies()
	if len(requests) != 1 || len(copies) != 0 || h.dropped("unrecorded") != 1 || len(h.mock.Requests()) != 1 {
		t.Errorf("recorded %v %v, %v dropped", requests, copies, h.dropped("unrecorded"))
	}
}
