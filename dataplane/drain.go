package dataplane

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/weirhq/weir/dataplane/internal/proxy"
)

const (
	// tellTimeout is how long callers whose requests are cut have to take that.
	tellTimeout = 3 * time.Second
	// recordTimeout is how long requests whose connections were closed have to be recorded.
	recordTimeout = 2 * time.Second
)

// drain is what happens between being told to stop and being done with applications. For
// delay, load balancers learn from /readyz that the agent goes, and callers from
// "Connection: close" that their next request needs another connection: one that was
// closed, or never accepted, while a request came on it would fail that request. Then
// requests in flight have the timeout, and what it leaves is cut: the caller is told in its
// dialect, and the record ends as interrupted.
type drain struct {
	delay, timeout time.Duration
	logger         *slog.Logger
	begun          atomic.Bool
	requests       atomic.Int64
}

// server says on every answer when it goes. cut ends the requests in flight.
func (d *drain) server(handler http.Handler) (server *http.Server, cut func()) {
	ctx, end := context.WithCancelCause(context.Background())
	server = &http.Server{
		BaseContext: func(net.Listener) context.Context { return ctx },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			d.requests.Add(1)
			defer d.requests.Add(-1)
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

// finish takes no more connections and returns when no request is left.
func (d *drain) finish(server *http.Server, cut func()) error {
	err := shutdown(server, d.timeout)
	if !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	d.logger.Warn("requests in flight are cut", "count", d.requests.Load(), "after", d.timeout)
	cut()
	if err := shutdown(server, tellTimeout); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	d.logger.Warn("callers did not take that their requests are cut: their connections are closed", "count", d.requests.Load())
	err = server.Close()
	// Handlers may be behind their connections.
	for tooLate := time.Now().Add(recordTimeout); d.requests.Load() > 0 && time.Now().Before(tooLate); {
		time.Sleep(5 * time.Millisecond)
	}
	return err
}

func shutdown(server *http.Server, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return server.Shutdown(ctx)
}
