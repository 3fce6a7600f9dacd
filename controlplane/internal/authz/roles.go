package authz

import (
	"slices"

	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var (
	readConfiguration = []string{
		"budgets.get", "budgets.list", "limits.get", "limits.list",
		"gateways.get", "gateways.list", "keys.get", "keys.list", "organization.get",
		"price_overrides.get", "price_overrides.list", "prices.get", "prices.list",
		"projects.get", "projects.list", "providers.get", "providers.list", "quotas.get", "quotas.history", "quotas.list", "rollouts.get", "rollouts.list",
		"routes.get", "routes.list",
	}
	runTraffic = []string{
		"diagnostics.dry_run", "diagnostics.test_provider", "gateways.create", "gateways.delete", "gateways.enrol", "gateways.revoke_agent", "gateways.set_key", "gateways.update",
		"gateways.update_agent", "providers.create", "providers.delete", "providers.update", "rollouts.go_back", "rollouts.go_forward",
		"rollouts.hold", "rollouts.promote", "rollouts.resume", "routes.create", "routes.delete", "routes.update",
	}
	manageTeams = []string{
		"keys.create", "keys.revoke", "keys.rotate", "keys.update", "projects.create", "projects.delete", "projects.update",
	}
	manageSpend = []string{
		"budgets.create", "budgets.delete", "budgets.raise", "budgets.update", "limits.create", "limits.delete", "limits.update",
		"alert_channels.create", "alert_channels.delete", "alert_channels.get", "alert_channels.list", "alert_channels.test",
		"alert_channels.update", "alert_deliveries.list", "alert_deliveries.retry", "alerts.test", "price_overrides.create", "price_overrides.delete", "price_overrides.import", "price_overrides.update",
		"quotas.release", "quotas.write_off",
	}
	manageUsers = []string{
		"join_domains.list", "join_domains.remove", "join_domains.set",
		"members.erase", "members.get", "members.invite", "members.list", "members.remove", "members.update",
		"role_bindings.create", "role_bindings.delete", "role_bindings.get", "role_bindings.list",
		"sessions.list", "sessions.revoke",
		"service_accounts.create", "service_accounts.delete", "service_accounts.get", "service_accounts.list",
		"service_accounts.revoke", "service_accounts.update",
	}
	manageOrganization = []string{"organization.update"}
	// readHistory shows everybody's doings, with their addresses, and every resource.
	readHistory = []string{"history.diff", "history.export", "history.get", "history.list", "history.watch"}
	goBack      = []string{"history.revert"}
	dashboards  = []string{"alerts.list", "reports.read"}
	reports     = []string{"reports.query", "reports.save", "rerates.get", "rerates.list"}
	// correctUsage changes what everything cost.
	correctUsage = []string{"rerates.create"}
)

// onProjects are the permissions that a role on a project can give: those of RPCs
// about things that belong to one project. Whatever is named here is asked for
// through a kind that knows its project. What holds a project is to be seen there, and
// the organization's to change: nobody raises their own budget.
var onProjects = sorted([]string{
	"budgets.get", "budgets.list", "limits.get", "limits.list",
	"keys.create", "keys.get", "keys.list", "keys.revoke", "keys.rotate", "keys.update",
	"projects.get", "projects.list", "projects.update",
	"quotas.get", "quotas.history", "quotas.list",
})

// operator is the installation's own principal; it sees into no organization.
var operator = sorted([]string{"organizations.create", "organizations.delete", "organizations.list", "organizations.suspend"})

// roles: admins differ from owners in the decisions, which let nobody give or
// take a role above their own.
var roles = map[eventv1.Role][]string{
	eventv1.Role_ROLE_OWNER:         sorted(readConfiguration, runTraffic, manageTeams, manageSpend, manageUsers, manageOrganization, readHistory, goBack, dashboards, reports, correctUsage),
	eventv1.Role_ROLE_ADMIN:         sorted(readConfiguration, runTraffic, manageTeams, manageSpend, manageUsers, manageOrganization, readHistory, goBack, dashboards, reports, correctUsage),
	eventv1.Role_ROLE_OPERATOR:      sorted(readConfiguration, runTraffic, dashboards),
	eventv1.Role_ROLE_ANALYST:       sorted(readConfiguration, dashboards, reports),
	eventv1.Role_ROLE_VIEWER:        sorted(readConfiguration, dashboards),
	eventv1.Role_ROLE_PROJECTS_ONLY: nil,
}

func sorted(groups ...[]string) []string {
	all := slices.Concat(groups...)
	slices.Sort(all)
	return all
}
