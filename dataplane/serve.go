package dataplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"github.com/weirhq/weir/dataplane/internal/proxy"
)

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 90 * time.Second
	// drainTimeout is how long requests in flight may go on after a stop.
	drainTimeout = 30 * time.Second
)

// serve runs both listeners until ctx ends and requests in flight are done.
func (a *agent) serve(ctx context.Context) error {
	applications, err := listen(ctx, a.config.Listen)
	if err != nil {
		return err
	}
	private, err := listen(ctx, a.config.AdminListen)
	if err != nil {
		return errors.Join(err, applications.Close())
	}
	a.logger.Info("listening", "applications", applications.Addr().String(), "private", private.Addr().String())
	// The private address outlives the other one: who asks there is told of the drain.
	last, end := context.WithCancel(context.WithoutCancel(ctx))
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer end()
		return serveUntil(ctx, proxy.Listening(applications), a.drain.server(a.proxy), a.drain.run, a.proxy.Stop)
	})
	group.Go(func() error {
		return serveUntil(last, private, &http.Server{Handler: a.private()}, func() {}, func(context.Context) {})
	})
	return group.Wait()
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return listener, nil
}

// serveUntil serves until ctx ends, then does what comes before new connections are
// refused, waits for requests in flight and, in the same time, for what comes after them.
func serveUntil(ctx context.Context, listener net.Listener, server *http.Server, before func(), after func(context.Context)) error {
	server.ReadHeaderTimeout, server.IdleTimeout = headerTimeout, idleTimeout
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		before()
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		err := server.Shutdown(limit)
		if err != nil {
			err = errors.Join(err, server.Close())
		}
		after(limit)
		stopped <- err
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", listener.Addr(), err)
	}
	return <-stopped
}

// private serves health, metrics and profiles, none of which applications see.
func (a *agent) private() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

// withoutPolicy tells one that did not come from one that was refused.
func (a *agent) withoutPolicy() string {
	if why := a.control.Unserved(); why != nil {
		return why.Error()
	}
	return "no policy yet"
}

func (a *agent) readyz(w http.ResponseWriter, _ *http.Request) {
	if a.drain.begun.Load() {
		http.Error(w, "draining", http.StatusServiceUnavailable)
		return
	}
	policy := a.policy.Load()
	if policy == nil {
		http.Error(w, a.withoutPolicy(), http.StatusServiceUnavailable)
		return
	}
	if err := a.spool.Fault(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	if err := a.control.Revoked(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintf(w, "ok: policy version %d\n", policy.Version())
}
