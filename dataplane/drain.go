package dataplane

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirhq/weir/dataplane/internal/proxy"
)

const (
	// tellTimeout is how long callers whose requests are cut have to take that.
	tellTimeout = 3 * time.Second
	// recordTimeout is how long requests whose connections were closed have to be recorded.
	recordTimeout = 2 * time.Second
	// lingering is how long connections are kept at most after their last answer, so that a
	// request that is on its way is answered.
	lingering = time.Second
)

// drain is what happens between being told to stop and being done with applications. For
// delay, load balancers learn from /readyz that the agent goes, and callers from
// "Connection: close" that their next request needs another connection: one that was
// closed, or never accepted, while a request came on it would fail that request. Then no
// connection is accepted, and requests in flight have the timeout. What it leaves is cut:
// the caller is told in its dialect, and the record ends as interrupted.
type drain struct {
	delay, timeout time.Duration
	logger         *slog.Logger
	begun          atomic.Bool
	requests       atomic.Int64
	last           atomic.Int64 // when the last request ended, Unix ns
}

// server says on every answer when it goes. cut ends the requests in flight.
func (d *drain) server(handler http.Handler) (server *http.Server, cut func()) {
	ctx, end := context.WithCancelCause(context.Background())
	server = &http.Server{
		BaseContext: func(net.Listener) context.Context { return ctx },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			d.requests.Add(1)
			defer func() {
				if d.begun.Load() {
					d.last.Store(time.Now().UnixNano())
				}
				d.requests.Add(-1)
			}()
			if d.begun.Load() {
				w.Header().Set("Connection", "close")
			}
			handler.ServeHTTP(w, r)
		}),
	}
	return server, func() { end(proxy.ErrStopping) }
}

// run goes on accepting for the delay.
func (d *drain) run() {
	d.begun.Store(true)
	d.logger.Info("told to stop: not ready any more, requests are still taken", "delay", d.delay)
	time.Sleep(d.delay)
}

// finish takes no more connections and returns when no request is left, and none of their
// copies, which have the time of the requests.
func (d *drain) finish(door *door, server *http.Server, cut func(), copies func(context.Context)) error {
	limit, cancel := context.WithTimeout(context.Background(), d.timeout)
	defer cancel()
	err := errors.Join(door.shut(), d.requestsDone(server, cut))
	copies(limit)
	return err
}

func (d *drain) requestsDone(server *http.Server, cut func()) error {
	if d.quiet(time.Now().Add(d.timeout)) {
		err := shutdown(server, tellTimeout)
		if !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		// net/http waits 5 s for connections on which nobody asked yet: pools and balancers
		// open them ahead of need.
		if d.requests.Load() == 0 {
			return server.Close()
		}
	}
	d.logger.Warn("requests in flight are cut", "count", d.requests.Load(), "after", d.timeout)
	cut()
	if err := shutdown(server, tellTimeout); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	d.logger.Warn("callers did not take that their requests are cut: their connections are closed", "count", d.requests.Load())
	err := server.Close()
	// Handlers may be behind their connections.
	for tooLate := time.Now().Add(recordTimeout); d.requests.Load() > 0 && time.Now().Before(tooLate); {
		time.Sleep(5 * time.Millisecond)
	}
	return err
}

// quiet waits until no request is in flight, and none can be on its way: a stream that began
// before the drain did not say that its connection ends with it, so the next request may
// come there. It is answered, and says so. False: it is not quiet at the deadline.
func (d *drain) quiet(deadline time.Time) bool {
	linger := min(d.delay, lingering)
	for {
		if d.requests.Load() == 0 && time.Since(time.Unix(0, d.last.Load())) >= linger {
			return true
		}
		if time.Now().After(deadline) {
			return d.requests.Load() == 0
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func shutdown(server *http.Server, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return server.Shutdown(ctx)
}

// door is a listener that can stop to accept without ending the server that it is of.
type door struct {
	net.Listener
	closing, closed chan struct{}
	once            sync.Once
}

func newDoor(l net.Listener) *door {
	return &door{Listener: l, closing: make(chan struct{}), closed: make(chan struct{})}
}

// Accept waits for Close once the door is shut.
func (d *door) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	select {
	case <-d.closing:
		if err != nil {
			<-d.closed
		}
	default:
	}
	return conn, err
}

// shut refuses connections from now on.
func (d *door) shut() error {
	close(d.closing)
	return d.Listener.Close()
}

// Close ends Accept.
func (d *door) Close() error {
	d.once.Do(func() { close(d.closed) })
	err := d.Listener.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
