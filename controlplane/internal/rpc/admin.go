// Package rpc serves the administration API over Connect: it turns requests into
// commands and read-model queries, and faults into wire codes. It decides
// nothing itself. Every call passes one guard: authenticate, permission,
// validate.
package rpc

import (
	"context"
	"log/slog"
	"net/http"

	"connectrpc.com/connect"
	"connectrpc.com/grpcreflect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

// maxRequestBytes of one message.
const maxRequestBytes = 1 << 20

// Authenticator finds out who is calling. Nobody known is an Unauthenticated fault.
type Authenticator interface {
	Authenticate(ctx context.Context, header http.Header) (authn.Principal, error)
}

// AgentStatuses knows the last reports; agents that never reported are absent.
type AgentStatuses interface {
	Statuses(ctx context.Context, organization uuid.UUID, agents []uuid.UUID) (map[uuid.UUID]fleet.Status, error)
}

// AdminConfig is what the administration API stands on; all of it is needed.
type AdminConfig struct {
	Authenticator Authenticator
	Runner        *command.Runner
	Store         *readmodel.Store
	Agents        AgentStatuses
	Report        adminv1connect.ReportServiceHandler
	Logger        *slog.Logger
}

// Mount is a handler and the path it serves, which ends with a slash.
type Mount struct {
	Path    string
	Handler http.Handler
}

// NewAdmin returns every service of weir.admin.v1 behind the guard, and gRPC
// reflection, which needs no login.
func NewAdmin(c AdminConfig) []Mount {
	behind := []connect.HandlerOption{
		connect.WithInterceptors(&guard{c.Authenticator, c.Logger}),
		connect.WithReadMaxBytes(maxRequestBytes),
	}
	var mounts []Mount
	mount := func(path string, handler http.Handler) {
		mounts = append(mounts, Mount{path, handler})
	}
	mount(adminv1connect.NewOrganizationServiceHandler(&organizations{c.Runner, c.Store}, behind...))
	mount(adminv1connect.NewProjectServiceHandler(&projects{c.Runner, c.Store}, behind...))
	mount(adminv1connect.NewProviderServiceHandler(&providers{c.Runner, c.Store}, behind...))
	mount(adminv1connect.NewRouteServiceHandler(&routes{c.Runner, c.Store}, behind...))
	mount(adminv1connect.NewKeyServiceHandler(&keys{c.Runner, c.Store}, behind...))
	mount(adminv1connect.NewGatewayServiceHandler(&gateways{c.Runner, c.Store, c.Agents}, behind...))
	mount(adminv1connect.NewServiceAccountServiceHandler(&serviceAccounts{c.Runner, c.Store}, behind...))
	mount(adminv1connect.NewSessionServiceHandler(&sessions{c.Store}, behind...))
	mount(adminv1connect.NewReportServiceHandler(c.Report, behind...))

	reflector := grpcreflect.NewStaticReflector(serviceNames...)
	mount(grpcreflect.NewHandlerV1(reflector))
	mount(grpcreflect.NewHandlerV1Alpha(reflector))
	return mounts
}

var serviceNames = []string{
	adminv1connect.OrganizationServiceName, adminv1connect.ProjectServiceName, adminv1connect.ProviderServiceName,
	adminv1connect.RouteServiceName, adminv1connect.KeyServiceName, adminv1connect.GatewayServiceName,
	adminv1connect.ServiceAccountServiceName, adminv1connect.SessionServiceName, adminv1connect.ReportServiceName,
}
