package proxy_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/dataplane/internal/proxy"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

// keptAgain tells when a further attempt was kept.
type keptAgain struct {
	proxy.Recorder
	kept atomic.Bool
}

func (k *keptAgain) Again(ticket uint64, r *usagev1.UsageRecord) error {
	defer k.kept.Store(true)
	return k.Recorder.Again(ticket, r)
}

// unfinished is a body of which nothing comes: a request that holds its memory until end.
type unfinished struct {
	asked *sync.WaitGroup
	end   chan struct{}
}

func (u *unfinished) Read([]byte) (int, error) {
	u.asked.Done()
	<-u.end
	return 0, http.ErrBodyNotAllowed
}

func (u *unfinished) Close() error { return nil }

// TestAHedgeKeepsItsBody: between the time that an attempt beside the first is kept and the time
// that its request is made, the first wins and other requests take memory.
func TestAHedgeKeepsItsBody(t *testing.T) {
	var recorder keptAgain
	var between func()
	route := hedgedRoute(nil, 2)
	route.Hedge.MinMs = 1
	s := &stage{acts: map[string][]act{}}
	h := newHarness(t, func(c *proxy.Config) {
		c.Transport = closing{s}
		recorder.Recorder = c.Recorder
		c.Recorder = &recorder
		c.Now = func() time.Time { // the attempt beside is the next to ask for it
			if recorder.kept.CompareAndSwap(true, false) {
				between()
			}
			return time.Now()
		}
	})
	h.routed(route)
	synctest.Test(t, func(t *testing.T) {
		s.learn(t, h, forms["stream"], enoughTimes)
		first, ended, called := make(chan struct{}), make(chan struct{}), false
		speaking := speaks(0)
		s.acts["gpt-4o"] = []act{func(c *call) (*http.Response, error) {
			<-first
			return speaking(c)
		}}
		s.acts["odd-model"] = []act{speaks(time.Hour)}
		w := &firstWrite{ResponseRecorder: httptest.NewRecorder(), wrote: make(chan struct{})}
		var others sync.WaitGroup
		defer others.Wait()
		defer close(ended)
		between = func() {
			called = true
			close(first)
			<-w.wrote
			var asked sync.WaitGroup
			for range 32 {
				asked.Add(1)
				r := toRouted(t.Context(), forms["stream"])
				r.Body, r.ContentLength = &unfinished{&asked, ended}, 100
				others.Go(func() { h.handler.ServeHTTP(httptest.NewRecorder(), r) })
			}
			asked.Wait()
		}
		h.handler.ServeHTTP(w, toRouted(t.Context(), forms["stream"]))
		if !called || w.Code != 200 {
			t.Errorf("hedged: %v; %d %s", called, w.Code, w.Body)
		}
	})
}

// firstWrite closes wrote with the first write.
type firstWrite struct {
	*httptest.ResponseRecorder
	once  sync.Once
	wrote chan struct{}
}

func (f *firstWrite) Write(b []byte) (int, error) {
	defer f.once.Do(func() { close(f.wrote) })
	return f.ResponseRecorder.Write(b)
}

// closing closes the body once the request was made, as net/http does.
type closing struct{ http.RoundTripper }

func (c closing) RoundTrip(r *http.Request) (*http.Response, error) {
	defer r.Body.Close()
	return c.RoundTripper.RoundTrip(r)
}
