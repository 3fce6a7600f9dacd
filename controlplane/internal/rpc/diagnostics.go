package rpc

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/route"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

var _ adminv1connect.DiagnosticsServiceHandler = (*diagnostics)(nil)

// askRate is of one organization, whoever asks.
var askRate = Rate{PerSecond: 2, Burst: 20}

// Asker asks connected agents; its faults say why none answered.
type Asker interface {
	Ask(ctx context.Context, q fleet.Question) (fleet.Answered, error)
}

type diagnostics struct {
	store  *readmodel.Store
	asker  Asker
	limits *Limits
}

func newDiagnostics(store *readmodel.Store, asker Asker) *diagnostics {
	return &diagnostics{store, asker, NewLimits(askRate, Rate{}, time.Now)}
}

func (s *diagnostics) TestProvider(ctx context.Context, req *connect.Request[adminv1.TestProviderRequest]) (*connect.Response[adminv1.TestProviderResponse], error) {
	named := func(ctx context.Context, v readmodel.View) error {
		return reachable(ctx, v, req.Msg)
	}
	by, answer, err := s.ask(ctx, req.Msg, named, &agentv1.Ask{Question: &agentv1.Ask_ProviderTest{ProviderTest: &agentv1.ProviderTest{
		ProviderId: req.Msg.GetProviderId(), Model: req.Msg.GetModel(),
	}}})
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(toProtoProviderTest(by, answer.GetProviderTest())), nil
}

func (s *diagnostics) DryRun(ctx context.Context, req *connect.Request[adminv1.DryRunRequest]) (*connect.Response[adminv1.DryRunResponse], error) {
	question := fromProtoDryRun(req.Msg)
	named := func(ctx context.Context, v readmodel.View) (err error) {
		if id := req.Msg.GetProjectId(); id != "" {
			err = exists(ctx, v, readmodel.Projects, "project_id", id)
		} else {
			err = exists(ctx, v, readmodel.Keys, "key_id", req.Msg.GetKeyId())
		}
		if err != nil || req.Msg.GetDraft() == nil {
			return err
		}
		question.Draft, err = draftOf(ctx, v, req.Msg)
		return err
	}
	by, answer, err := s.ask(ctx, req.Msg, named, &agentv1.Ask{Question: &agentv1.Ask_DryRun{DryRun: question}})
	if err != nil {
		return nil, err
	}
	if question.GetDraft() != nil && !answer.GetDryRun().GetDrafted() {
		return nil, fault.Because(fault.Precondition, "agent_too_old", "the agent %q is older than dry runs of routes that are not saved; upgrade it", by.GetAgentName())
	}
	return connect.NewResponse(toProtoDryRun(by, answer.GetDryRun())), nil
}

// draftOf is the route of a dry run as agents of the gateway would have it, once it is what a
// stored one has to be.
func draftOf(ctx context.Context, v readmodel.View, m *adminv1.DryRunRequest) (*policyv1.Route, error) {
	draft := m.GetDraft()
	if m.GetModel() != draft.GetName() {
		return nil, fault.Field("model", "want the name of the draft, %q; got %q", draft.GetName(), m.GetModel())
	}
	settings, err := fromProtoRoute(draft)
	if err != nil {
		return nil, err
	}
	id := uuid.New()
	if draft.GetId() != "" {
		if id, err = parseID("draft.id", draft.GetId()); err != nil {
			return nil, err
		}
		if _, err := readmodel.Routes.Find(ctx, v, id); err != nil {
			return nil, err
		}
	}
	world, err := routeWorld(ctx, v, id, settings)
	if err != nil {
		return nil, err
	}
	drafted, err := route.Draft(id, settings, world)
	if err != nil {
		return nil, err
	}
	at, err := parseID("gateway_id", m.GetGatewayId())
	if err != nil {
		return nil, err
	}
	g, err := readmodel.Gateways.Find(ctx, v, at)
	if err != nil {
		return nil, err
	}
	return policy.DraftRoute(g, slices.Collect(maps.Values(world.Providers)), drafted), nil
}

// reachable finds the provider, where the gateway's agents know it: they could only say
// that they do not.
func reachable(ctx context.Context, v readmodel.View, m *adminv1.TestProviderRequest) error {
	id, err := parseID("provider_id", m.GetProviderId())
	if err != nil {
		return err
	}
	p, err := readmodel.Providers.Find(ctx, v, id)
	if err != nil {
		return err
	}
	at, err := parseID("gateway_id", m.GetGatewayId())
	if err != nil {
		return err
	}
	g, err := readmodel.Gateways.Find(ctx, v, at)
	if err != nil || len(g.AllowedRegions) == 0 || slices.Contains(g.AllowedRegions, p.Region) {
		return err
	}
	where := "states no region"
	if p.Region != "" {
		where = "is in " + p.Region
	}
	return fault.Because(fault.Precondition, "provider_outside_regions", "the provider %q %s, and the gateway %q may send to providers in %s only: its agents do not know this one",
		p.Name, where, g.Name, strings.Join(g.AllowedRegions, ", "))
}

// exists finds what a request names.
func exists[T any](ctx context.Context, v readmodel.View, table finder[T], field, text string) error {
	id, err := parseID(field, text)
	if err != nil {
		return err
	}
	_, err = table.Find(ctx, v, id)
	return err
}

type finder[T any] interface {
	Find(ctx context.Context, v readmodel.View, id uuid.UUID) (T, error)
}

// toWhom is what both questions say of who is to answer.
type toWhom interface {
	GetGatewayId() string
	GetAgentId() string
}

// ask looks whether all that the request names is there, and asks.
func (s *diagnostics) ask(ctx context.Context, to toWhom, named func(context.Context, readmodel.View) error, ask *agentv1.Ask) (*adminv1.AnsweredBy, *agentv1.AnswerRequest, error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, nil, errNoCaller
	}
	if err := s.limits.take(&s.limits.principals, caller.OrganizationID.String(), "the people and programs of your organization ask agents"); err != nil {
		return nil, nil, err
	}
	q := fleet.Question{OrganizationID: caller.OrganizationID, Ask: ask}
	err := s.store.Read(ctx, caller.OrganizationID, func(v readmodel.View) (err error) {
		if q.GatewayID, q.AgentID, err = addressee(ctx, v, to); err != nil {
			return err
		}
		return named(ctx, v)
	})
	if err != nil {
		return nil, nil, err
	}
	answered, err := s.asker.Ask(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	by, err := s.answeredBy(ctx, caller.OrganizationID, answered)
	return by, answered.Answer, err
}

// addressee is the gateway, and the agent where one is named.
func addressee(ctx context.Context, v readmodel.View, to toWhom) (at, agent uuid.UUID, err error) {
	if at, err = parseID("gateway_id", to.GetGatewayId()); err != nil {
		return uuid.Nil, uuid.Nil, err
	}
	if _, err = readmodel.Gateways.Find(ctx, v, at); err != nil || to.GetAgentId() == "" {
		return at, uuid.Nil, err
	}
	if agent, err = parseID("agent_id", to.GetAgentId()); err != nil {
		return uuid.Nil, uuid.Nil, err
	}
	found, err := readmodel.Agents.Find(ctx, v, agent)
	switch {
	case err != nil:
		return uuid.Nil, uuid.Nil, err
	case found.GatewayID != at:
		return uuid.Nil, uuid.Nil, fault.Field("agent_id", "agent %q is of another gateway, %s", found.Name, found.GatewayID)
	case found.Revoked():
		return uuid.Nil, uuid.Nil, fault.Because(fault.Precondition, gateway.ReasonAgentRevoked, "the agent %q was revoked, for ever; ask another", found.Name)
	}
	return at, agent, nil
}

// answeredBy names the agent that answered, which may be gone by now.
func (s *diagnostics) answeredBy(ctx context.Context, organization uuid.UUID, answered fleet.Answered) (*adminv1.AnsweredBy, error) {
	var agent gateway.Agent
	err := s.store.Read(ctx, organization, func(v readmodel.View) (err error) {
		agent, err = readmodel.Agents.Find(ctx, v, answered.AgentID)
		return err
	})
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	return toProtoAnsweredBy(answered, agent.Name, time.Now()), nil
}
