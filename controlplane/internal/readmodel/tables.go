package readmodel

import (
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/alertchannel"
	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/limit"
	"github.com/weirhq/weir/controlplane/internal/member"
	"github.com/weirhq/weir/controlplane/internal/organization"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	"github.com/weirhq/weir/controlplane/internal/project"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/rerate"
	"github.com/weirhq/weir/controlplane/internal/rolebinding"
	"github.com/weirhq/weir/controlplane/internal/route"
	"github.com/weirhq/weir/controlplane/internal/savedreport"
	"github.com/weirhq/weir/controlplane/internal/serviceaccount"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// The read models. Every table has the columns organization_id, id, valid_from,
// valid_to and state.
var (
	Organizations = &Table[organization.Organization]{
		name: "organization", thing: "organization", fields: organizationFields, apply: organization.Apply,
		begins: "OrganizationCreated", ends: "OrganizationArchived",
		changes: map[string]func(proto.Message) string{
			"OrganizationUpdated": nil, "OrganizationSuspended": nil, "OrganizationResumed": nil,
		},
		columns: []string{"name", "suspended_at"},
		values:  func(o organization.Organization) []any { return []any{o.Name, timeOrNull(o.SuspendedAt)} },
	}
	Members = &Table[member.Member]{
		name: "member", thing: "member", begins: "MemberAdded", alsoBegins: "MemberInvited", apply: member.Apply,
		changes: map[string]func(proto.Message) string{
			"MemberJoined": nil, "MemberRoleChanged": nil, "MemberRemoved": nil, "MemberErased": nil, "MemberSessionsRevoked": nil,
		},
		values: func(member.Member) []any { return nil },
	}
	JoinDomains = &Table[member.Domain]{
		name: "join_domain", thing: "join domain", fields: joinDomainFields, apply: member.ApplyDomain,
		begins: "JoinDomainAdded", ends: "JoinDomainRemoved",
		changes: map[string]func(proto.Message) string{"JoinDomainChanged": nil},
		columns: []string{"name"},
		values:  func(d member.Domain) []any { return []any{d.Name} },
	}
	Projects = &Table[project.Project]{
		name: "project", thing: "project", fields: projectFields, apply: project.Apply,
		begins: "ProjectCreated", restores: "ProjectRestored", ends: "ProjectArchived",
		changes: map[string]func(proto.Message) string{"ProjectUpdated": nil},
		columns: []string{"name"},
		values:  func(p project.Project) []any { return []any{p.Name} },
	}
	Providers = &Table[provider.Provider]{
		name: "provider", thing: "provider", fields: providerFields, apply: provider.Apply,
		begins: "ProviderCreated", restores: "ProviderRestored", ends: "ProviderArchived",
		changes: map[string]func(proto.Message) string{"ProviderUpdated": nil},
		columns: []string{"name"},
		values:  func(p provider.Provider) []any { return []any{p.Name} },
	}
	Routes = &Table[route.Route]{
		name: "route", thing: "route", fields: routeFields, apply: route.Apply,
		begins: "RouteCreated", restores: "RouteRestored", ends: "RouteArchived",
		changes: map[string]func(proto.Message) string{"RouteUpdated": nil},
		columns: []string{"name"},
		values:  func(r route.Route) []any { return []any{r.Name} },
	}
	Keys = &Table[key.Key]{
		name: "key", thing: "key", fields: keyFields, apply: key.Apply, begins: "KeyCreated", ends: "KeyArchived",
		changes: map[string]func(proto.Message) string{"KeyUpdated": nil, "KeyRotated": nil, "KeyOverlapEnded": nil, "KeyRevoked": nil},
		columns: []string{"name", "project_id", "sha256", "revoked_at", "created_at", "expires_at", "suffix", "route_ids", "labels"},
		values: func(k key.Key) []any {
			return []any{
				k.Name, k.ProjectID, k.SHA256, timeOrNull(k.RevokedAt), k.CreatedAt, timeOrNull(k.ExpiresAt), k.Suffix,
				append([]uuid.UUID{}, k.RouteIDs...), labelsOf(k),
			}
		},
	}
	Gateways = &Table[gateway.Gateway]{
		name: "gateway", thing: "gateway", fields: gatewayFields, apply: gateway.Apply,
		begins: "GatewayCreated", restores: "GatewayRestored", ends: "GatewayArchived",
		changes: map[string]func(proto.Message) string{"GatewayUpdated": nil, "GatewayKeySet": nil, "GatewayRolloutSet": nil},
		columns: []string{"name", "staged"},
		values:  func(g gateway.Gateway) []any { return []any{g.Name, g.Rollout.Staged()} },
	}
	EnrolmentTokens = &Table[gateway.Token]{
		name: "enrolment_token", thing: "enrolment token", fields: enrolmentTokenFields, apply: gateway.ApplyToken,
		begins: "EnrolmentTokenCreated", ends: "EnrolmentTokenRevoked",
		changes: map[string]func(proto.Message) string{"AgentEnrolled": usedToken},
		columns: []string{"sha256", "gateway_id"},
		values:  func(t gateway.Token) []any { return []any{t.SHA256, t.GatewayID} },
	}
	Agents = &Table[gateway.Agent]{
		name: "agent", thing: "agent", fields: agentFields, begins: "AgentEnrolled", apply: gateway.ApplyAgent,
		changes: map[string]func(proto.Message) string{"AgentRenamed": nil, "AgentRevoked": nil},
		columns: []string{"name", "gateway_id", "public_key", "revoked_at"},
		values: func(a gateway.Agent) []any {
			return []any{a.Name, a.GatewayID, a.PublicKey, timeOrNull(a.RevokedAt)}
		},
	}
	ServiceAccounts = &Table[serviceaccount.ServiceAccount]{
		name: "service_account", thing: "service account", fields: serviceAccountFields, apply: serviceaccount.Apply,
		begins: "ServiceAccountCreated", ends: "ServiceAccountArchived",
		changes: map[string]func(proto.Message) string{"ServiceAccountUpdated": nil},
		columns: []string{"name"},
		values:  func(a serviceaccount.ServiceAccount) []any { return []any{a.Name} },
	}
	ServiceAccountTokens = &Table[serviceaccount.Token]{
		name: "service_account_token", thing: "service account token",
		begins: "ServiceAccountTokenCreated", apply: serviceaccount.ApplyToken,
		changes: map[string]func(proto.Message) string{"ServiceAccountTokenRevoked": nil},
		columns: []string{"service_account_id", "sha256"},
		values:  func(t serviceaccount.Token) []any { return []any{t.ServiceAccountID, t.SHA256} },
	}
	PriceOverrides = &Table[priceoverride.PriceOverride]{
		name: "price_override", thing: "price override", fields: priceOverrideFields, apply: priceoverride.Apply,
		begins: "PriceOverrideCreated", restores: "PriceOverrideRestored", ends: "PriceOverrideArchived",
		changes: map[string]func(proto.Message) string{"PriceOverrideUpdated": nil},
		columns: []string{"name"},
		values:  func(p priceoverride.PriceOverride) []any { return []any{p.Name()} },
	}
	SavedReports = &Table[savedreport.SavedReport]{
		name: "saved_report", thing: "saved report", fields: savedReportFields, apply: savedreport.Apply,
		begins: "SavedReportCreated", restores: "SavedReportRestored", ends: "SavedReportArchived",
		changes: map[string]func(proto.Message) string{"SavedReportUpdated": nil},
		columns: []string{"name"},
		values:  func(r savedreport.SavedReport) []any { return []any{r.Name} },
	}
	AlertChannels = &Table[alertchannel.AlertChannel]{
		name: "alert_channel", thing: "alert channel", fields: alertChannelFields, apply: alertchannel.Apply,
		begins: "AlertChannelCreated", restores: "AlertChannelRestored", ends: "AlertChannelArchived",
		changes: map[string]func(proto.Message) string{"AlertChannelUpdated": nil, "AlertChannelSecretSet": nil},
		columns: []string{"name"},
		values:  func(c alertchannel.AlertChannel) []any { return []any{c.Name} },
	}
)

// Limits and Budgets know the project that they are on, or whose key they are on.
var (
	Limits = &Table[limit.Limit]{
		name: "quota_limit", thing: "limit", fields: limitFields, apply: limit.Apply,
		begins: "LimitCreated", restores: "LimitRestored", ends: "LimitArchived",
		changes: map[string]func(proto.Message) string{"LimitUpdated": nil, "LimitLeasesReleased": nil},
		columns: []string{"name", "project_id"},
		values:  func(l limit.Limit) []any { return []any{l.Name, idOrNull(l.Scope.Project())} },
	}
	Budgets = &Table[budget.Budget]{
		name: "budget", thing: "budget", fields: budgetFields, apply: budget.Apply,
		begins: "BudgetCreated", restores: "BudgetRestored", ends: "BudgetArchived",
		changes: map[string]func(proto.Message) string{
			"BudgetUpdated": nil, "BudgetRaised": nil, "BudgetLeaseWrittenOff": nil, "BudgetLeasesReleased": nil,
		},
		columns: []string{"name", "project_id"},
		values:  func(b budget.Budget) []any { return []any{b.Name, idOrNull(b.Scope.Project())} },
	}
)

// RoleBindings are listed by their projects.
var RoleBindings = &Table[rolebinding.Binding]{
	name: "role_binding", thing: "role binding", fields: roleBindingFields, apply: rolebinding.Apply,
	begins: "RoleBindingCreated", ends: "RoleBindingArchived",
	columns: []string{"name", "principal_id", "project_id"},
	values: func(b rolebinding.Binding) []any {
		return []any{b.ProjectID.String(), b.Principal(), b.ProjectID}
	},
}

// Rerates are never changed: how far each is stands elsewhere.
var Rerates = &Table[rerate.Rerate]{
	name: "rerate", thing: "rerate", fields: rerateFields, apply: rerate.Apply, begins: "RerateStarted",
	values: func(rerate.Rerate) []any { return nil },
}

func usedToken(body proto.Message) string {
	return body.(*eventv1.AgentEnrolled).GetEnrolmentTokenId()
}

func idOrNull(id uuid.UUID) any {
	if id == uuid.Nil {
		return nil
	}
	return id
}

// labelsOf is an empty object where there are none.
func labelsOf(k key.Key) map[string]string {
	if k.Labels == nil {
		return map[string]string{}
	}
	return k.Labels
}

func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}
