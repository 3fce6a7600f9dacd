package budget

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/deploy/local/stack"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

// tenant is the organization, with all that its callers use.
type tenant struct {
	id        string
	enrolment string
	keys      []string // secrets
	keyIDs    []string
	projects  map[string]string // by name
	providers map[string]string

	call *http.Client
	url  string
	as   connect.ClientOption
}

func found(ctx context.Context, w *world) (*tenant, error) {
	t := &tenant{call: &http.Client{Timeout: 30 * time.Second}, url: w.gate.url, projects: map[string]string{}, providers: map[string]string{}}
	operator := adminv1connect.NewOrganizationServiceClient(t.call, t.url, stack.Bearer(w.operatorToken))
	founded, err := operator.CreateOrganization(ctx, connect.NewRequest(&adminv1.CreateOrganizationRequest{Name: "budget", OwnerEmail: "owner@budget.example"}))
	if err != nil {
		return nil, err
	}
	t.id, t.as = founded.Msg.GetOrganization().GetId(), stack.Bearer(founded.Msg.GetServiceAccountToken())
	return t, nil
}

// configure makes all but the budgets.
func (t *tenant) configure(ctx context.Context, upstream string) error {
	if err := t.makeKeys(ctx); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	if err := t.makeRoutes(ctx, upstream); err != nil {
		return fmt.Errorf("routes: %w", err)
	}
	gateways := adminv1connect.NewGatewayServiceClient(t.call, t.url, t.as)
	gateway, err := gateways.CreateGateway(ctx, connect.NewRequest(&adminv1.CreateGatewayRequest{Name: "prod", Region: "local"}))
	if err != nil {
		return err
	}
	enrolment, err := gateways.CreateEnrolmentToken(ctx, connect.NewRequest(&adminv1.CreateEnrolmentTokenRequest{GatewayId: gateway.Msg.GetGateway().GetId(), MaxUses: 1000}))
	t.enrolment = enrolment.Msg.GetToken()
	return err
}

func (t *tenant) makeKeys(ctx context.Context) error {
	projects := adminv1connect.NewProjectServiceClient(t.call, t.url, t.as)
	for _, name := range []string{"alpha", "beta", "useful"} {
		made, err := projects.CreateProject(ctx, connect.NewRequest(&adminv1.CreateProjectRequest{Name: name}))
		if err != nil {
			return err
		}
		t.projects[name] = made.Msg.GetProject().GetId()
	}
	keys := adminv1connect.NewKeyServiceClient(t.call, t.url, t.as)
	for i := range keyCount + 1 {
		request := &adminv1.CreateKeyRequest{Name: fmt.Sprintf("key-%d", i), ProjectId: t.projects["useful"]}
		if i != usefulKey {
			request.ProjectId, request.Labels = t.projects[project(i)], map[string]string{"team": team(i), "tier": tier(i)}
		}
		made, err := keys.CreateKey(ctx, connect.NewRequest(request))
		if err != nil {
			return err
		}
		t.keys, t.keyIDs = append(t.keys, made.Msg.GetSecret()), append(t.keyIDs, made.Msg.GetKey().GetId())
	}
	return nil
}

// routes of callers: one target, two after one another, and two beside one another.
var routes = []struct {
	name    string
	targets []int // of accounts
	hedge   bool
}{
	{"one", []int{0}, false}, {"two", []int{1}, false}, {"three", []int{2}, false},
	{"either", []int{0, 1, 2}, false}, {"hedged", []int{1, 2}, true},
}

func (t *tenant) makeRoutes(ctx context.Context, upstream string) error {
	providers := adminv1connect.NewProviderServiceClient(t.call, t.url, t.as)
	prices := adminv1connect.NewPriceOverrideServiceClient(t.call, t.url, t.as)
	for _, a := range accounts {
		_, err := prices.CreatePriceOverride(ctx, connect.NewRequest(&adminv1.CreatePriceOverrideRequest{
			PriceList: priceListName, Model: a.model, Rates: &adminv1.Rates{Input: perMillion(a.input), CacheRead: perMillion(a.input), Output: perMillion(a.output)},
		}))
		if err != nil {
			return err
		}
		made, err := providers.CreateProvider(ctx, connect.NewRequest(&adminv1.CreateProviderRequest{
			Name: a.name, Dialect: a.dialect, BaseUrl: upstream + a.path, CredentialRef: credentialRef, PriceList: priceListName,
		}))
		if err != nil {
			return err
		}
		t.providers[a.name] = made.Msg.GetProvider().GetId()
	}
	client := adminv1connect.NewRouteServiceClient(t.call, t.url, t.as)
	for _, r := range routes {
		request := &adminv1.CreateRouteRequest{Name: r.name, Strategy: adminv1.Strategy_STRATEGY_SINGLE, Timeouts: &adminv1.Timeouts{
			FirstByte: durationpb.New(15 * time.Second), Idle: durationpb.New(5 * time.Second), Total: durationpb.New(40 * time.Second),
		}}
		for _, i := range r.targets {
			request.Targets = append(request.Targets, &adminv1.Target{ProviderId: t.providers[accounts[i].name], Model: accounts[i].model})
		}
		if len(r.targets) > 1 {
			request.Strategy, request.Retry = adminv1.Strategy_STRATEGY_PRIORITY, &adminv1.Retry{MaxAttempts: 3, Backoff: durationpb.New(20 * time.Millisecond)}
		}
		if r.hedge {
			request.Hedge = &adminv1.Hedge{Percentile: 50, MinDelay: durationpb.New(200 * time.Millisecond), MaxPercent: 50}
		}
		if _, err := client.CreateRoute(ctx, connect.NewRequest(request)); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	return nil
}

// budgets makes all that are planned.
func (t *tenant) budgets(ctx context.Context, unit int64) (all []*purse, err error) {
	for _, p := range plan(t, unit) {
		if err := t.budget(ctx, p); err != nil {
			return nil, err
		}
		all = append(all, p.purse)
	}
	return all, nil
}

func (t *tenant) budget(ctx context.Context, p *planned) error {
	p.purse.limit, p.purse.charged = p.purse.amount, map[string]int64{}
	made, err := t.budgetService().CreateBudget(ctx, connect.NewRequest(&adminv1.CreateBudgetRequest{
		Name: p.purse.name, Scope: p.scope, AmountNanoUsd: p.purse.amount, Window: p.purse.window.proto(), Mode: adminv1.QuotaMode_QUOTA_MODE_HARD,
	}))
	if err != nil {
		return fmt.Errorf("budget %s: %w", p.purse.name, err)
	}
	p.purse.id = made.Msg.GetBudget().GetId()
	return nil
}

// raise gives a budget more for as long as the run goes on. Where the answer is lost, it may
// have it or not: the next raise says the sum again.
func (t *tenant) raise(ctx context.Context, p *purse, by int64) error {
	_, err := t.budgetService().RaiseBudget(ctx, connect.NewRequest(&adminv1.RaiseBudgetRequest{
		Id: p.id, AmountNanoUsd: p.more(by), ExpiresAt: timestamppb.New(time.Now().Add(24 * time.Hour)), Reason: "a load test",
	}))
	return err
}

func (t *tenant) budgetService() adminv1connect.BudgetServiceClient {
	return adminv1connect.NewBudgetServiceClient(t.call, t.url, t.as)
}
