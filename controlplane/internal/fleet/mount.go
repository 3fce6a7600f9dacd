package fleet

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
	"connectrpc.com/validate"

	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
)

// Mount returns the path and the handler of the service with authentication and
// bounds before it. The HTTP server must have no write timeout: streams last.
func (h *Handler) Mount() (path string, handler http.Handler) {
	path, service := agentv1connect.NewAgentServiceHandler(h,
		connect.WithReadMaxBytes(maxRequestBytes),
		connect.WithInterceptors(validate.NewInterceptor()),
		connect.WithCompression("gzip", nil, nil), // a policy zipped once per watcher would cost a core
	)
	mux := http.NewServeMux()
	mux.Handle(agentv1connect.AgentServiceEnrollProcedure, bounded(service))
	mux.Handle(agentv1connect.AgentServiceWatchProcedure, h.Authenticator.Stream(withDeadline(service)))
	mux.Handle(agentv1connect.AgentServicePollProcedure, h.Authenticator.Unary(maxRequestBytes, service))
	mux.Handle(agentv1connect.AgentServiceReportProcedure, h.Authenticator.Unary(maxRequestBytes, service))
	mux.Handle(agentv1connect.AgentServiceAnswerProcedure, h.Authenticator.Unary(maxAnswerBytes, service))
	mux.Handle(agentv1connect.AgentServiceLeaseProcedure, h.Authenticator.Unary(maxRequestBytes, service))
	return path, mux
}

func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxRequestBytes)
		next.ServeHTTP(w, r)
	})
}

type deadlineKey struct{}

// withDeadline lets a stream bound its writes.
func withDeadline(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), deadlineKey{}, http.NewResponseController(w))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func deadlineFrom(ctx context.Context) *http.ResponseController {
	controller, _ := ctx.Value(deadlineKey{}).(*http.ResponseController)
	return controller
}
