package rpc

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/weirhq/weir/controlplane/internal/wire"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

const (
	// DefaultCallTimeout bounds a call of the API, but for reports, re-rates and streams.
	DefaultCallTimeout = 30 * time.Second
	// leastReport is beyond what package report allows a query.
	leastReport = 30 * time.Second
	// leastRerate is for a dry run over as many attempts as one takes.
	leastRerate = 5 * time.Minute
)

// timed ends unary calls of the service at a path that take longer than limit,
// whatever they wait for. Without it, callers that wait for ever would hold a
// connection to a store that hangs, and all that queues for one.
func timed(path string, limit time.Duration, next http.Handler) http.Handler {
	service := strings.Trim(path, "/")
	switch service {
	case adminv1connect.ReportServiceName:
		limit = max(limit, leastReport)
	case adminv1connect.RerateServiceName:
		limit = max(limit, leastRerate)
	}
	streams := map[string]bool{}
	for _, method := range methodsOf(service) {
		streams[path+string(method.Name())] = method.IsStreamingClient() || method.IsStreamingServer()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if streams[r.URL.Path] {
			next.ServeHTTP(w, r)
			return
		}
		ctx, cancel := context.WithTimeoutCause(r.Context(), limit, wire.TooLong(limit))
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
