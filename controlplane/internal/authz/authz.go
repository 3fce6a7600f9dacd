// Package authz says what each role may do. An RPC names the permission that it
// needs in its option (weir.admin.v1.permission); who calls is authn's matter.
package authz

import (
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/fault"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	// Public needs no login.
	Public = "public"
	// Self needs any login.
	Self = "self"
)

// Of returns the permission that an RPC declares; empty: none, and nobody is served.
func Of(method protoreflect.MethodDescriptor) string {
	declared, _ := proto.GetExtension(method.Options(), adminv1.E_Permission).(string)
	return declared
}

// Permissions are what the principal may do, sorted. The slice is shared.
func Permissions(p authn.Principal) []string {
	if p.Kind == authn.Operator {
		return operator
	}
	return roles[p.Role]
}

// Check returns a Denied fault where the principal lacks the permission.
func Check(p authn.Principal, permission string) error {
	if permission == Self {
		return nil
	}
	if _, ok := slices.BinarySearch(Permissions(p), permission); !ok {
		return fault.Because(fault.Denied, "permission_missing", "this needs the permission %s", permission)
	}
	return nil
}

var (
	readConfiguration = []string{
		"gateways.get", "gateways.list", "keys.get", "keys.list", "organization.get",
		"price_overrides.get", "price_overrides.list", "prices.list",
		"projects.get", "projects.list", "providers.get", "providers.list", "routes.get", "routes.list",
	}
	runTraffic = []string{
		"gateways.create", "gateways.delete", "gateways.enrol", "gateways.update", "providers.create", "providers.delete",
		"providers.update", "routes.create", "routes.delete", "routes.update",
	}
	manageTeams = []string{
		"keys.create", "keys.revoke", "keys.rotate", "keys.update", "projects.create", "projects.delete", "projects.update",
	}
	manageSpend = []string{
		"alert_channels.create", "alert_channels.delete", "alert_channels.get", "alert_channels.list", "alert_channels.test",
		"alert_channels.update", "price_overrides.create", "price_overrides.delete", "price_overrides.update",
	}
	manageUsers = []string{
		"join_domains.list", "join_domains.remove", "join_domains.set",
		"members.erase", "members.get", "members.invite", "members.list", "members.remove", "members.update",
		"sessions.list", "sessions.revoke",
		"service_accounts.create", "service_accounts.delete", "service_accounts.get", "service_accounts.list",
		"service_accounts.revoke", "service_accounts.update",
	}
	dashboards = []string{"reports.read"}
	reports    = []string{"reports.query", "reports.save"}
)

// operator is the installation's own principal; it sees into no organization.
var operator = sorted([]string{"organizations.create", "organizations.list"})

// roles: admins differ from owners in the decisions, which let nobody give or
// take a role above their own.
var roles = map[eventv1.Role][]string{
	eventv1.Role_ROLE_OWNER:    sorted(readConfiguration, runTraffic, manageTeams, manageSpend, manageUsers, dashboards, reports),
	eventv1.Role_ROLE_ADMIN:    sorted(readConfiguration, runTraffic, manageTeams, manageSpend, manageUsers, dashboards, reports),
	eventv1.Role_ROLE_OPERATOR: sorted(readConfiguration, runTraffic, dashboards),
	eventv1.Role_ROLE_ANALYST:  sorted(readConfiguration, dashboards, reports),
	eventv1.Role_ROLE_VIEWER:   sorted(readConfiguration, dashboards),
}

func sorted(groups ...[]string) []string {
	all := slices.Concat(groups...)
	slices.Sort(all)
	return all
}
