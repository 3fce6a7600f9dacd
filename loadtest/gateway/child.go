package gateway

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"time"

	"github.com/weirhq/weir/loadtest/gateway/upstream"
)

// Upstream is the process of the mock: this tool starts it.
type Upstream struct {
	Listen     string `required:"" help:"host:port"`
	BrokerPort int    `help:"Port on 127.0.0.1 for a broker that forgets; 0: none."`
	Plane      string `help:"host:port for a control plane that settles what an agent reports; empty: none."`
}

// Run until told to stop.
func (c *Upstream) Run(ctx context.Context) error {
	if c.BrokerPort != 0 {
		broker, err := upstream.NewBroker(c.BrokerPort)
		if err != nil {
			return err
		}
		defer broker.Close()
	}
	if c.Plane != "" {
		plane := &http.Server{Addr: c.Plane, Handler: upstream.NewPlane(nil), ReadHeaderTimeout: 10 * time.Second}
		go func() { _ = plane.ListenAndServe() }() // the agent says it where nobody is there
		defer plane.Close()
	}
	server, err := upstream.Listen(ctx, c.Listen)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, server.Close)
	defer stop()
	return server.Serve()
}

// Bare is the process of the proxy that all others are compared with: httputil.ReverseProxy
// with connections enough, and nothing else.
type Bare struct {
	Listen string `required:"" help:"host:port"`
	To     string `required:"" help:"URL of the upstream."`
}

// Run until told to stop.
func (c *Bare) Run(ctx context.Context) error {
	to, err := url.Parse(c.To)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: reverseProxy(to), ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

func reverseProxy(to *url.URL) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 1024, IdleConnTimeout: 90 * time.Second, DisableCompression: true},
		ErrorLog:  log.New(os.Stderr, "", log.LstdFlags),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Else net/http's server closes the body under the transport that still looks for its
		// end, and now and then an answer breaks.
		_ = http.NewResponseController(w).EnableFullDuplex()
		proxy.ServeHTTP(w, r)
	})
}
