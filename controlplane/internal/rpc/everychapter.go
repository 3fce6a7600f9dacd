package rpc

import (
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
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/rerate"
	"github.com/weirhq/weir/controlplane/internal/rolebinding"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	"github.com/weirhq/weir/controlplane/internal/route"
	"github.com/weirhq/weir/controlplane/internal/savedreport"
	"github.com/weirhq/weir/controlplane/internal/serviceaccount"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

// configuration is what a revert goes back to, what others stand on first.
func configuration(organizations *organizations, alerts *alertChannels) []chapter {
	return []chapter{
		story[organization.Organization, *adminv1.Organization]{
			table: readmodel.Organizations, convert: settingsOf, label: func(o organization.Organization) string { return o.Name },
			way: &way[organization.Organization]{
				service: adminv1connect.OrganizationServiceName, noun: "Organization", back: organizations.back,
			},
		},
		story[project.Project, *adminv1.Project]{
			table: readmodel.Projects, convert: toProtoProject, label: func(p project.Project) string { return p.Name },
			way: &way[project.Project]{
				service: adminv1connect.ProjectServiceName, noun: "Project", back: backProject,
				rename: func(p *project.Project, name string) { p.Name = name },
			},
		},
		story[provider.Provider, *adminv1.Provider]{
			table: readmodel.Providers, convert: toProtoProvider, label: func(p provider.Provider) string { return p.Name },
			way: &way[provider.Provider]{
				service: adminv1connect.ProviderServiceName, noun: "Provider", back: backProvider,
				rename: func(p *provider.Provider, name string) { p.Name = name },
			},
		},
		story[route.Route, *adminv1.Route]{
			table: readmodel.Routes, convert: toProtoRoute, label: func(r route.Route) string { return r.Name },
			way: &way[route.Route]{
				service: adminv1connect.RouteServiceName, noun: "Route", back: backRoute,
				rename: func(r *route.Route, name string) { r.Name = name },
			},
		},
		story[key.Key, *adminv1.Key]{
			table: readmodel.Keys, convert: toProtoKey, label: func(k key.Key) string { return k.Name },
			way: &way[key.Key]{
				service: adminv1connect.KeyServiceName, noun: "Key", back: backKey,
				within: func(k key.Key) string { return k.ProjectID.String() },
				rename: func(k *key.Key, name string) { k.Name = name },
			},
		},
		story[gateway.Gateway, *adminv1.Gateway]{
			table: readmodel.Gateways, convert: toProtoGateway, label: func(g gateway.Gateway) string { return g.Name },
			way: &way[gateway.Gateway]{
				service: adminv1connect.GatewayServiceName, noun: "Gateway", back: backGateway,
				rename: func(g *gateway.Gateway, name string) { g.Name = name },
			},
		},
		story[priceoverride.PriceOverride, *adminv1.PriceOverride]{
			table: readmodel.PriceOverrides, convert: toProtoPriceOverride, label: priceoverride.PriceOverride.Name,
			way: &way[priceoverride.PriceOverride]{
				service: adminv1connect.PriceOverrideServiceName, noun: "PriceOverride", back: backPriceOverride,
			},
		},
		story[savedreport.SavedReport, *adminv1.SavedReport]{
			table: readmodel.SavedReports, convert: toProtoSavedReport, label: func(r savedreport.SavedReport) string { return r.Name },
			way: &way[savedreport.SavedReport]{
				service: adminv1connect.SavedReportServiceName, noun: "SavedReport", back: backSavedReport,
				rename: func(r *savedreport.SavedReport, name string) { r.Name = name },
			},
		},
		story[alertchannel.AlertChannel, *adminv1.AlertChannel]{
			table: readmodel.AlertChannels, convert: toProtoAlertChannel, label: func(c alertchannel.AlertChannel) string { return c.Name },
			way: &way[alertchannel.AlertChannel]{
				service: adminv1connect.AlertChannelServiceName, noun: "AlertChannel", back: alerts.back,
				rename: func(c *alertchannel.AlertChannel, name string) { c.Name = name },
			},
		},
		story[limit.Limit, *adminv1.Limit]{
			table: readmodel.Limits, convert: toProtoLimit, label: func(l limit.Limit) string { return l.Name },
			way: &way[limit.Limit]{
				service: adminv1connect.LimitServiceName, noun: "Limit", back: backLimit,
				rename: func(l *limit.Limit, name string) { l.Name = name },
			},
		},
		story[budget.Budget, *adminv1.Budget]{
			table: readmodel.Budgets, convert: toProtoBudget, label: func(b budget.Budget) string { return b.Name },
			way: &way[budget.Budget]{
				service: adminv1connect.BudgetServiceName, noun: "Budget", back: backBudget,
				rename: func(b *budget.Budget, name string) { b.Name = name },
			},
		},
	}
}

// authorities are the kinds that no revert touches: people, what acts for them, what
// they may do, who lets agents in, what agents are being given, and what was priced anew.
func authorities() []chapter {
	nameless := func(member.Member) string { return "" }
	return []chapter{
		story[member.Member, *adminv1.Member]{table: readmodel.Members, convert: toProtoMember, label: nameless},
		story[member.Domain, *adminv1.JoinDomain]{
			table: readmodel.JoinDomains, convert: toProtoJoinDomain, label: func(d member.Domain) string { return d.Name },
		},
		story[serviceaccount.ServiceAccount, *adminv1.ServiceAccount]{
			table: readmodel.ServiceAccounts, convert: serviceAccountKind.convert,
			label: func(a serviceaccount.ServiceAccount) string { return a.Name },
		},
		story[serviceaccount.Token, *adminv1.ServiceAccountToken]{
			table: readmodel.ServiceAccountTokens, convert: toProtoToken,
			label: func(t serviceaccount.Token) string { return t.Name },
		},
		story[rolebinding.Binding, *adminv1.RoleBinding]{
			table: readmodel.RoleBindings, convert: toProtoRoleBinding, label: func(rolebinding.Binding) string { return "" },
		},
		story[gateway.Token, *adminv1.EnrolmentToken]{
			table: readmodel.EnrolmentTokens, convert: toProtoEnrolmentToken, label: func(gateway.Token) string { return "" },
		},
		story[rollout.Rollout, *adminv1.Rollout]{
			table: readmodel.Rollouts, convert: toProtoRollout, label: func(rollout.Rollout) string { return "" },
		},
		story[rerate.Rerate, *adminv1.Rerate]{
			table: readmodel.Rerates, convert: toProtoRerate, label: func(rerate.Rerate) string { return "" },
		},
		story[gateway.Agent, *adminv1.Agent]{
			table: readmodel.Agents, convert: agentKind.convert, label: func(a gateway.Agent) string { return a.Name },
		},
	}
}

func settingsOf(o organization.Organization) *adminv1.Organization { return toProtoOrganization(o, 0) }
