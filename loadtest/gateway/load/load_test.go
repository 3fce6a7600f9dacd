package load

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// every is a schedule of n requests with the same gap.
func every(gap time.Duration, n int) iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		for i := range n {
			if !yield(time.Duration(i) * gap) {
				return
			}
		}
	}
}

// serve is a server, and a request to it; n counts requests from 1, that of each connection
// that does not count included.
func serve(t *testing.T, answer func(w http.ResponseWriter, n int64)) (Request, *atomic.Int64) {
	t.Helper()
	var served atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		answer(w, served.Add(1))
	}))
	t.Cleanup(server.Close)
	return NewRequest(server.Listener.Addr().String(), "/", "", []byte("{}")), &served
}

// A server stalls once, and answers at once otherwise. Of the requests that were due
// meanwhile each waited from then on: that many latencies are that long. A generator that
// waits with the server sees one.
func TestOpenLoopCountsWhatAStallOmits(t *testing.T) {
	const stall, n = 400 * time.Millisecond, 1000
	request, served := serve(t, func(_ http.ResponseWriter, n int64) {
		if n == 100 {
			<-time.After(stall)
		}
	})
	sample, err := Open{Request: request, Connections: 1, Schedule: every(time.Millisecond, n), Timeout: time.Minute}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if sample.Requests != n || sample.Failed != 0 || sample.Timed() != n || served.Load() != n+1 {
		t.Fatalf("%d answered, %d failed, %d timed, %d served", sample.Requests, sample.Failed, sample.Timed(), served.Load())
	}
	if most := sample.Latency(1); most < stall {
		t.Errorf("the longest took %v", most)
	}
	// Due in the first half of the stall, 200 of 1000 waited for at least the other half.
	if q := sample.Latency(0.81); q < stall/2-10*time.Millisecond {
		t.Errorf("of all, 19 %% took at least %v", q)
	}
}

// What is never answered is neither forgotten nor quick.
func TestOpenLoopAgainstADeadServer(t *testing.T) {
	dead := make(chan struct{})
	defer close(dead)
	request, _ := serve(t, func(_ http.ResponseWriter, n int64) {
		if n > 2 {
			<-dead
		}
	})
	sample, err := Open{Request: request, Connections: 2, Schedule: every(time.Millisecond, 50), Timeout: 100 * time.Millisecond}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if sample.Requests != 0 || sample.Failed != 50 || sample.Timed() != 50 {
		t.Fatalf("%d answered, %d failed, %d timed: %v", sample.Requests, sample.Failed, sample.Timed(), sample.Errors)
	}
	if least := sample.Latency(0); least < 40*time.Millisecond { // the last was due 50 ms before the others were given up
		t.Errorf("the quickest took %v", least)
	}
	if sample.Errors["no answer in time"] == 0 {
		t.Errorf("errors %v", sample.Errors)
	}
}

func TestLoadsEndWithTheirContext(t *testing.T) {
	stop := errors.New("stop")
	for name, run := range map[string]func(context.Context, Request) error{
		"closed": func(ctx context.Context, r Request) error {
			_, err := Closed{Request: r, Connections: 2, For: time.Hour, Timeout: time.Hour}.Run(ctx)
			return err
		},
		"open": func(ctx context.Context, r Request) error {
			_, err := Open{Request: r, Connections: 2, Schedule: every(time.Millisecond, 1e9), Timeout: time.Hour}.Run(ctx)
			return err
		},
		"hold": func(ctx context.Context, r Request) error {
			_, err := Hold{Request: r, Streams: 9, Timeout: time.Hour}.Open(ctx)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dead, asked := make(chan struct{}), make(chan struct{})
			request, _ := serve(t, func(w http.ResponseWriter, n int64) {
				_, _ = io.WriteString(w, "water")
				if n == 3 {
					close(asked)
				}
				if n > 2 {
					<-dead
				}
			})
			t.Cleanup(func() { close(dead) })
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() {
				<-asked
				cancel(stop)
			}()
			if err := run(ctx, request); !errors.Is(err, stop) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestClosedLoop(t *testing.T) {
	request, served := serve(t, func(w http.ResponseWriter, n int64) {
		if n%2 == 0 {
			w.Header().Set("Connection", "close") // the next needs another connection
		}
		if n%5 == 0 {
			w.WriteHeader(http.StatusTeapot)
		}
		_, _ = io.WriteString(w, "water")
	})
	sample, err := Closed{Request: request, Connections: 1, For: 100 * time.Millisecond, Timeout: time.Minute}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if all := served.Load() - 1; sample.Requests+sample.Failed != all || sample.Failed != (all+1)/5 || sample.Errors["status 418 I'm a teapot"] != sample.Failed {
		t.Errorf("%d answered, %d failed of %d: %v", sample.Requests, sample.Failed, all, sample.Errors)
	}
	if sample.Timed() != sample.Requests || sample.Elapsed < 100*time.Millisecond || sample.Rate() <= 0 {
		t.Errorf("%d timed in %v", sample.Timed(), sample.Elapsed)
	}
	if _, err := (Closed{Request: NewRequest("127.0.0.1:1", "/", "", nil), Connections: 3, Timeout: time.Second}).Run(t.Context()); err == nil {
		t.Error("a load on nobody")
	}
}

func TestHeldStreams(t *testing.T) {
	end := make(chan struct{})
	request, _ := serve(t, func(w http.ResponseWriter, n int64) {
		_, _ = io.WriteString(w, "data: 1\n\n")
		_ = http.NewResponseController(w).Flush()
		if n > 3 {
			<-end
		}
		_, _ = io.WriteString(w, "data: [DONE]\n\n")
	})
	held, err := Hold{Request: request, Streams: 10, Dialing: 4, Timeout: time.Minute}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); held.Broken() < 3 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if held.Broken() != 3 {
		t.Errorf("%d ended by themselves, want 3", held.Broken())
	}
	held.Close()
	close(end)
	if held.Broken() != 3 {
		t.Errorf("%d ended by themselves, of which some were closed", held.Broken())
	}
}
