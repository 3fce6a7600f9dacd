package demo

import (
	"context"
	"net/http"
	"time"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

const callTimeout = 30 * time.Second

// clients are the admin API as one bearer of a token sees it.
type clients struct {
	organizations adminv1connect.OrganizationServiceClient
	sessions      adminv1connect.SessionServiceClient
	projects      adminv1connect.ProjectServiceClient
	providers     adminv1connect.ProviderServiceClient
	routes        adminv1connect.RouteServiceClient
	keys          adminv1connect.KeyServiceClient
	gateways      adminv1connect.GatewayServiceClient
	reports       adminv1connect.ReportServiceClient
}

func (s *setup) clients(token string) clients {
	c, url := &http.Client{Timeout: callTimeout}, s.config.ControlURL
	with := connect.WithInterceptors(bearer(token))
	return clients{
		organizations: adminv1connect.NewOrganizationServiceClient(c, url, with),
		sessions:      adminv1connect.NewSessionServiceClient(c, url, with),
		projects:      adminv1connect.NewProjectServiceClient(c, url, with),
		providers:     adminv1connect.NewProviderServiceClient(c, url, with),
		routes:        adminv1connect.NewRouteServiceClient(c, url, with),
		keys:          adminv1connect.NewKeyServiceClient(c, url, with),
		gateways:      adminv1connect.NewGatewayServiceClient(c, url, with),
		reports:       adminv1connect.NewReportServiceClient(c, url, with),
	}
}

func bearer(token string) connect.UnaryInterceptorFunc {
	return func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
			request.Header().Set("Authorization", "Bearer "+token)
			return next(ctx, request)
		}
	}
}
