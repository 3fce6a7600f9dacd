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
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	"github.com/weirhq/weir/dataplane/internal/spool"
)

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 90 * time.Second
	// privateTimeout bounds what is under way on the private address at the end.
	privateTimeout = 5 * time.Second
)

// serve runs both listeners until ctx ends, requests in flight are done and usage is
// delivered; stopped: nobody delivers any more.
func (a *agent) serve(ctx context.Context, stopped <-chan struct{}) error {
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
		server, cut := a.drain.server(a.proxy)
		door := newDoor(proxy.Listening(applications))
		err := serveUntil(ctx, door, server, func() error {
			a.drain.run()
			return a.drain.finish(door, server, cut, a.proxy.Stop)
		})
		if err == nil {
			a.deliver(stopped)
		}
		return err
	})
	group.Go(func() error {
		server := &http.Server{Handler: a.private()}
		return serveUntil(last, private, server, func() error {
			err := shutdown(server, privateTimeout)
			if errors.Is(err, context.DeadlineExceeded) { // a long profile
				return server.Close()
			}
			return err
		})
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

// serveUntil serves until ctx ends and finish, which shuts the server down, returns.
func serveUntil(ctx context.Context, listener net.Listener, server *http.Server, finish func() error) error {
	server.ReadHeaderTimeout, server.IdleTimeout = headerTimeout, idleTimeout
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		stopped <- finish()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", listener.Addr(), err)
	}
	return <-stopped
}

// private serves health, metrics, profiles and the way of usage, none of which applications see.
func (a *agent) private() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /usage/via", a.via)
	mux.Handle("POST /usage/via", http.NewCrossOriginProtection().Handler(http.HandlerFunc(a.via)))
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

// unable says why no request may start. A full spool is no reason where the policy says
// that requests are served and counted.
func (a *agent) unable(policy *snapshot.Policy) error {
	err := a.spool.Fault()
	if errors.Is(err, spool.ErrFull) && policy.ServesUnrecorded() {
		return a.spool.Forgoes()
	}
	return err
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
	if err := a.unable(policy); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	if err := a.control.Revoked(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintf(w, "ok: policy version %d\n", policy.Version())
}
