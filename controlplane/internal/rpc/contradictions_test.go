package rpc_test

import (
	"context"
	"fmt"
	"testing"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// rival is one of two decisions that must not both be made.
type rival func(context.Context) error

func rivalOf[Q, A any](rpc func(context.Context, *connect.Request[Q]) (*connect.Response[A], error), request *Q) rival {
	return func(ctx context.Context) error {
		_, err := rpc(ctx, connect.NewRequest(request))
		return err
	}
}

// contradictions make something new and say what two processes decide about it at
// once, on different subjects. name is another one each time.
var contradictions = map[string]func(n *tenant, other *installation, name string) (rival, rival){
	"archive_a_project_and_add_its_key": func(n *tenant, other *installation, name string) (rival, rival) {
		p := call(n.t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: name}).Project
		return rivalOf(n.projects.DeleteProject, &adminv1.DeleteProjectRequest{Id: p.Id}),
			rivalOf(other.as(n.token).keys.CreateKey, &adminv1.CreateKeyRequest{Name: name, ProjectId: p.Id})
	},
	"archive_a_provider_and_add_a_route_to_it": func(n *tenant, other *installation, name string) (rival, rival) {
		p := n.anotherProvider(name)
		return rivalOf(n.providers.DeleteProvider, &adminv1.DeleteProviderRequest{Id: p.Id}),
			rivalOf(other.as(n.token).routes.CreateRoute, &adminv1.CreateRouteRequest{Name: name, Targets: targets(p)})
	},
	"archive_a_provider_and_turn_a_route_to_it": func(n *tenant, other *installation, name string) (rival, rival) {
		p := n.anotherProvider(name)
		r := call(n.t, n.routes.CreateRoute, &adminv1.CreateRouteRequest{Name: name, Targets: targets(n.provider)}).Route
		return rivalOf(n.providers.DeleteProvider, &adminv1.DeleteProviderRequest{Id: p.Id}),
			rivalOf(other.as(n.token).routes.UpdateRoute, &adminv1.UpdateRouteRequest{Route: &adminv1.Route{Id: r.Id, Targets: targets(p)}})
	},
	"archive_a_route_and_let_a_key_use_it": func(n *tenant, other *installation, name string) (rival, rival) {
		r := call(n.t, n.routes.CreateRoute, &adminv1.CreateRouteRequest{Name: name, Targets: targets(n.provider)}).Route
		return rivalOf(n.routes.DeleteRoute, &adminv1.DeleteRouteRequest{Id: r.Id}),
			rivalOf(other.as(n.token).keys.CreateKey, &adminv1.CreateKeyRequest{Name: name, ProjectId: n.project.Id, RouteIds: []string{r.Id}})
	},
	"archive_a_gateway_and_enrol_an_agent": func(n *tenant, other *installation, name string) (rival, rival) {
		g := call(n.t, n.gateways.CreateGateway, &adminv1.CreateGatewayRequest{Name: name, Region: "local"}).Gateway
		secret := call(n.t, n.gateways.CreateEnrolmentToken, &adminv1.CreateEnrolmentTokenRequest{GatewayId: g.Id}).Token
		public := publicKey(n.t)
		return rivalOf(n.gateways.DeleteGateway, &adminv1.DeleteGatewayRequest{Id: g.Id}),
			func(ctx context.Context) error {
				_, err := other.runner.EnrolAgent(ctx, hashOf(secret), public, "host-"+name)
				return err
			}
	},
	"archive_a_project_and_put_a_budget_on_it": func(n *tenant, other *installation, name string) (rival, rival) {
		p := call(n.t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: name}).Project
		return rivalOf(n.projects.DeleteProject, &adminv1.DeleteProjectRequest{Id: p.Id}),
			rivalOf(other.as(n.token).budgets.CreateBudget, monthly(name, onProjectScope(p)))
	},
	"archive_a_route_and_put_a_limit_on_it": func(n *tenant, other *installation, name string) (rival, rival) {
		r := call(n.t, n.routes.CreateRoute, &adminv1.CreateRouteRequest{Name: name, Targets: targets(n.provider)}).Route
		return rivalOf(n.routes.DeleteRoute, &adminv1.DeleteRouteRequest{Id: r.Id}),
			rivalOf(other.as(n.token).limits.CreateLimit, requestsOf(name, &adminv1.QuotaScope{On: &adminv1.QuotaScope_RouteId{RouteId: r.Id}}))
	},
	"archive_an_alert_channel_and_let_a_budget_tell_it": func(n *tenant, other *installation, name string) (rival, rival) {
		c := call(n.t, n.alerts.CreateAlertChannel, &adminv1.CreateAlertChannelRequest{
			Name: name, Url: "https://hooks.example", Secret: webhookSecret(name),
		}).AlertChannel
		telling := monthly(name, onOrganization())
		telling.AlertPercents, telling.AlertChannelIds = []int32{80}, []string{c.Id}
		return rivalOf(n.alerts.DeleteAlertChannel, &adminv1.DeleteAlertChannelRequest{Id: c.Id}),
			rivalOf(other.as(n.token).budgets.CreateBudget, telling)
	},
	"give_two_projects_one_name": func(n *tenant, other *installation, name string) (rival, rival) {
		p := call(n.t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: name}).Project
		return rivalOf(n.projects.UpdateProject, &adminv1.UpdateProjectRequest{Project: &adminv1.Project{Id: p.Id, Name: name + "-new"}}),
			rivalOf(other.as(n.token).projects.CreateProject, &adminv1.CreateProjectRequest{Name: name + "-new"})
	},
}

func (n *tenant) anotherProvider(name string) *adminv1.Provider {
	n.t.Helper()
	return call(n.t, n.providers.CreateProvider, &adminv1.CreateProviderRequest{
		Name: name, Dialect: adminv1.Dialect_DIALECT_OPENAI, BaseUrl: "https://api.openai.com/v1/", CredentialRef: "env://OPENAI_API_KEY",
	}).Provider
}

func targets(p *adminv1.Provider) []*adminv1.Target {
	return []*adminv1.Target{{ProviderId: p.Id, Model: "gpt-5"}}
}

// Of two decisions that contradict each other exactly one is made.
func TestContradictions(t *testing.T) {
	in := install(t)
	other := in.replica()
	n := in.tenant("alpha")
	rounds := 0
	for name, arrange := range contradictions {
		t.Run(name, func(t *testing.T) {
			firstWon := 0
			for range 20 {
				rounds++
				one, two := arrange(n, other, fmt.Sprintf("n%d", rounds))
				begin, results := make(chan struct{}), make(chan error, 1)
				go func() {
					<-begin
					results <- two(t.Context())
				}()
				close(begin)
				oneErr := one(t.Context())
				twoErr := <-results
				if (oneErr == nil) == (twoErr == nil) {
					t.Fatalf("both or none: %v; %v", oneErr, twoErr)
				}
				if oneErr == nil {
					firstWon++
				}
			}
			t.Logf("the first won %d of 20", firstWon)
		})
	}
	if rebuilt, err := in.store.Rebuild(t.Context(), readmodel.Rebuilding{Organization: mustParse(t, n.organization.Id)}); err != nil || rebuilt.Count > 0 {
		t.Errorf("read models differ: %v, %v", rebuilt.Differences, err)
	}
}
