package chaos

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/weirhq/weir/deploy/local/stack"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

// tenant is an organization with a gateway, its agents, and a key.
type tenant struct {
	name   string
	id     string
	key    string
	agents []door

	call *http.Client
	url  string
	as   connect.ClientOption
}

// door is an agent as callers know it.
type door struct{ name, url string }

// fleets are the organizations, by how many agents each has.
var fleets = []struct {
	name   string
	agents int
}{{"alpha", 2}, {"beta", 1}}

// settle founds the organizations and returns once their agents serve.
func (w *world) settle(ctx context.Context) (all []*tenant, err error) {
	for _, f := range fleets {
		t, err := w.found(ctx, f.name)
		if err != nil {
			return nil, fmt.Errorf("organization %s: %w", f.name, err)
		}
		token, err := t.configure(ctx, w.provider.url, f.agents)
		if err != nil {
			return nil, fmt.Errorf("organization %s: %w", f.name, err)
		}
		for i := range f.agents {
			n, url, err := w.agent(ctx, w.config, fmt.Sprintf("agent-%s-%d", f.name, i+1), token)
			if err != nil {
				return nil, err
			}
			if err := w.startAll(ctx, n); err != nil {
				return nil, err
			}
			t.agents = append(t.agents, door{n.name, url})
		}
		all = append(all, t)
	}
	return all, nil
}

func (w *world) found(ctx context.Context, name string) (*tenant, error) {
	t := &tenant{name: name, call: &http.Client{Timeout: 30 * time.Second}, url: w.controlURL}
	operator := adminv1connect.NewOrganizationServiceClient(t.call, t.url, stack.Bearer(w.operatorToken))
	founded, err := operator.CreateOrganization(ctx, connect.NewRequest(&adminv1.CreateOrganizationRequest{Name: name, OwnerEmail: "owner@" + name + ".example"}))
	if err != nil {
		return nil, err
	}
	t.id, t.as = founded.Msg.GetOrganization().GetId(), stack.Bearer(founded.Msg.GetServiceAccountToken())
	return t, nil
}

// configure makes what the callers use; token lets so many agents enrol.
func (t *tenant) configure(ctx context.Context, upstream string, agents int) (token string, err error) {
	project, err := adminv1connect.NewProjectServiceClient(t.call, t.url, t.as).CreateProject(ctx, connect.NewRequest(&adminv1.CreateProjectRequest{Name: "app"}))
	if err != nil {
		return "", err
	}
	key, err := adminv1connect.NewKeyServiceClient(t.call, t.url, t.as).CreateKey(ctx, connect.NewRequest(&adminv1.CreateKeyRequest{
		Name: "app", ProjectId: project.Msg.GetProject().GetId(),
	}))
	if err != nil {
		return "", err
	}
	t.key = key.Msg.GetSecret()
	if err := t.prices(ctx); err != nil {
		return "", fmt.Errorf("prices: %w", err)
	}
	if err := t.routes(ctx, upstream); err != nil {
		return "", fmt.Errorf("routes: %w", err)
	}
	gateways := adminv1connect.NewGatewayServiceClient(t.call, t.url, t.as)
	gateway, err := gateways.CreateGateway(ctx, connect.NewRequest(&adminv1.CreateGatewayRequest{Name: "prod", Region: "local"}))
	if err != nil {
		return "", err
	}
	enrolment, err := gateways.CreateEnrolmentToken(ctx, connect.NewRequest(&adminv1.CreateEnrolmentTokenRequest{
		GatewayId: gateway.Msg.GetGateway().GetId(), MaxUses: int32(agents),
	}))
	return enrolment.Msg.GetToken(), err
}

// prices are ours, not the built-in book's: what the provider bills by is known here.
func (t *tenant) prices(ctx context.Context) error {
	overrides := adminv1connect.NewPriceOverrideServiceClient(t.call, t.url, t.as)
	for model, p := range priceList {
		_, err := overrides.CreatePriceOverride(ctx, connect.NewRequest(&adminv1.CreatePriceOverrideRequest{
			PriceList: priceListName, Model: model, Rates: &adminv1.Rates{Input: perMillion(p.input), CacheRead: perMillion(p.cached), Output: perMillion(p.output)},
		}))
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tenant) routes(ctx context.Context, upstream string) error {
	providers := adminv1connect.NewProviderServiceClient(t.call, t.url, t.as)
	ids := map[string]string{}
	for _, p := range accounts {
		made, err := providers.CreateProvider(ctx, connect.NewRequest(&adminv1.CreateProviderRequest{
			Name: p.name, Dialect: p.dialect, BaseUrl: upstream + p.path, CredentialRef: credentialRef, PriceList: priceListName,
		}))
		if err != nil {
			return err
		}
		ids[p.name] = made.Msg.GetProvider().GetId()
	}
	routes := adminv1connect.NewRouteServiceClient(t.call, t.url, t.as)
	for _, r := range routeTable {
		request := &adminv1.CreateRouteRequest{Name: r.name, Strategy: adminv1.Strategy_STRATEGY_SINGLE, Timeouts: &adminv1.Timeouts{
			FirstByte: durationpb.New(4 * time.Second), Idle: durationpb.New(3 * time.Second), Total: durationpb.New(20 * time.Second),
		}}
		for _, to := range r.targets {
			request.Targets = append(request.Targets, &adminv1.Target{ProviderId: ids[to.provider], Model: to.model})
		}
		if len(r.targets) > 1 {
			request.Strategy, request.Retry = adminv1.Strategy_STRATEGY_PRIORITY, &adminv1.Retry{MaxAttempts: 3, Backoff: durationpb.New(20 * time.Millisecond)}
		}
		if _, err := routes.CreateRoute(ctx, connect.NewRequest(request)); err != nil {
			return err
		}
	}
	return nil
}
