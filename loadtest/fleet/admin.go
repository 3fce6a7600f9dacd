package fleet

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/weirhq/weir/deploy/local/stack"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

// admin is the API as the owner of the one organization calls it.
type admin struct {
	gateways adminv1connect.GatewayServiceClient
	routes   adminv1connect.RouteServiceClient
	keys     adminv1connect.KeyServiceClient
	history  adminv1connect.HistoryServiceClient
	gateway  string
	project  string
	route    *adminv1.Route
	made     int // keys
}

func newAdmin(ctx context.Context, s *stack.Stack) (*admin, error) {
	_, token, err := s.Found(ctx, "loadtest")
	if err != nil {
		return nil, err
	}
	client, url, as := &http.Client{Timeout: 30 * time.Second}, s.URL, stack.Bearer(token)
	a := &admin{
		gateways: adminv1connect.NewGatewayServiceClient(client, url, as),
		routes:   adminv1connect.NewRouteServiceClient(client, url, as),
		keys:     adminv1connect.NewKeyServiceClient(client, url, as),
		history:  adminv1connect.NewHistoryServiceClient(client, url, as),
	}
	if err := a.configure(ctx, adminv1connect.NewProjectServiceClient(client, url, as), adminv1connect.NewProviderServiceClient(client, url, as)); err != nil {
		return nil, fmt.Errorf("configure the organization: %w", err)
	}
	return a, nil
}

func (a *admin) configure(ctx context.Context, projects adminv1connect.ProjectServiceClient, providers adminv1connect.ProviderServiceClient) error {
	project, err := projects.CreateProject(ctx, connect.NewRequest(&adminv1.CreateProjectRequest{Name: "app"}))
	if err != nil {
		return err
	}
	a.project = project.Msg.GetProject().GetId()
	gateway, err := a.gateways.CreateGateway(ctx, connect.NewRequest(&adminv1.CreateGatewayRequest{Name: "prod", Region: "local"}))
	if err != nil {
		return err
	}
	a.gateway = gateway.Msg.GetGateway().GetId()
	provider, err := providers.CreateProvider(ctx, connect.NewRequest(&adminv1.CreateProviderRequest{
		Name: "openai", Dialect: adminv1.Dialect_DIALECT_OPENAI, BaseUrl: "https://api.openai.com/v1", CredentialRef: "env://WEIR_SECRET_OPENAI",
	}))
	if err != nil {
		return err
	}
	route, err := a.routes.CreateRoute(ctx, connect.NewRequest(&adminv1.CreateRouteRequest{
		Name: "chat", Strategy: adminv1.Strategy_STRATEGY_SINGLE,
		Targets: []*adminv1.Target{{ProviderId: provider.Msg.GetProvider().GetId(), Model: "gpt-4o"}},
	}))
	a.route = route.Msg.GetRoute()
	return err
}

// head is the log's newest version.
func (a *admin) head(ctx context.Context) (int64, error) {
	newest, err := a.history.ListEvents(ctx, connect.NewRequest(&adminv1.ListEventsRequest{Page: &adminv1.Page{Size: 1}}))
	if err != nil {
		return 0, fmt.Errorf("read the log's newest event: %w", err)
	}
	return newest.Msg.GetEvents()[0].GetVersion(), nil // an organization's founding is one
}

// token lets so many agents enrol.
func (a *admin) token(ctx context.Context, uses int) (string, error) {
	made, err := a.gateways.CreateEnrolmentToken(ctx, connect.NewRequest(&adminv1.CreateEnrolmentTokenRequest{GatewayId: a.gateway, MaxUses: int32(uses)}))
	if err != nil {
		return "", fmt.Errorf("make an enrolment token: %w", err)
	}
	return made.Msg.GetToken(), nil
}

// change turns the route to another model.
func (a *admin) change(ctx context.Context) error {
	target := a.route.GetTargets()[0]
	target.Model = map[string]string{"gpt-4o": "gpt-4o-mini", "gpt-4o-mini": "gpt-4o"}[target.GetModel()]
	next := &adminv1.Route{Id: a.route.GetId(), Targets: []*adminv1.Target{target}}
	_, err := a.routes.UpdateRoute(ctx, connect.NewRequest(&adminv1.UpdateRouteRequest{
		Route: next, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"targets"}},
	}))
	if err != nil {
		return fmt.Errorf("change the route: %w", err)
	}
	return nil
}

// key makes one; sum is of its text.
func (a *admin) key(ctx context.Context) (id string, sum [32]byte, err error) {
	a.made++
	made, err := a.keys.CreateKey(ctx, connect.NewRequest(&adminv1.CreateKeyRequest{Name: fmt.Sprintf("key-%d", a.made), ProjectId: a.project}))
	if err != nil {
		return "", sum, fmt.Errorf("make a key: %w", err)
	}
	return made.Msg.GetKey().GetId(), sha256.Sum256([]byte(made.Msg.GetSecret())), nil
}

func (a *admin) revoke(ctx context.Context, id string) error {
	if _, err := a.keys.RevokeKey(ctx, connect.NewRequest(&adminv1.RevokeKeyRequest{Id: id, Reason: "load test"})); err != nil {
		return fmt.Errorf("revoke a key: %w", err)
	}
	return nil
}
