package rpc_test

import (
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func (n *tenant) head() int64 {
	n.t.Helper()
	return call(n.t, n.organizations.GetOrganization, &adminv1.GetOrganizationRequest{}).Organization.Version
}

func atVersion(version int64) *adminv1.AsOf {
	return &adminv1.AsOf{Point: &adminv1.AsOf_Version{Version: version}}
}

func (n *tenant) events(filter *adminv1.EventMatch) []*adminv1.Event {
	n.t.Helper()
	return call(n.t, n.history.ListEvents, &adminv1.ListEventsRequest{Match: filter}).Events
}

// field of a list of changes: "before → after", as JSON.
func field(changes []*adminv1.FieldChange, path string) string {
	at := slices.IndexFunc(changes, func(c *adminv1.FieldChange) bool { return c.Path == path })
	if at < 0 {
		return "as it was"
	}
	spelled := protojson.Format(changes[at].Before) + "→" + protojson.Format(changes[at].After)
	return strings.ReplaceAll(strings.ReplaceAll(spelled, " ", ""), "<nil>", "unset")
}

func paths(changes []*adminv1.FieldChange) string {
	var all []string
	for _, c := range changes {
		all = append(all, c.Path)
	}
	return strings.Join(all, " ")
}

func TestEvents(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	other := call(t, n.providers.CreateProvider, &adminv1.CreateProviderRequest{
		Name: "second", Dialect: adminv1.Dialect_DIALECT_OPENAI, BaseUrl: "https://second.example/v1", CredentialRef: "env://SECOND",
	}).Provider
	call(t, n.routes.UpdateRoute, &adminv1.UpdateRouteRequest{
		Route: &adminv1.Route{Id: n.route.Id, Name: "fast", Targets: []*adminv1.Target{{ProviderId: other.Id, Model: "m"}}},
	})
	call(t, n.keys.UpdateKey, &adminv1.UpdateKeyRequest{
		Key:      &adminv1.Key{Id: n.key.Id, Labels: map[string]string{"team": "a"}},
		Mutation: &adminv1.Mutation{RequestId: "labels"},
	})

	t.Run("who_when_where_what", func(t *testing.T) {
		e := n.events(&adminv1.EventMatch{RequestId: "labels"})[0]
		who := call(t, n.sessions.WhoAmI, &adminv1.WhoAmIRequest{})
		same(t, e.Actor.Kind, "service_account")
		same(t, e.Actor.Id, who.Id)
		same(t, e.Address, "127.0.0.1")
		same(t, strings.HasPrefix(e.UserAgent, "connect-go/"), true)
		same(t, e.Kind, "KeyUpdated")
		same(t, e.Resource.Kind+" "+e.Resource.Name+" "+e.Resource.Id, "key first "+n.key.Id)
		same(t, e.Version, n.head())
		same(t, paths(e.Fields), `labels["team"]`)
		same(t, field(e.Fields, `labels["team"]`), `unset→"a"`)
	})
	t.Run("pages_of_a_long_filter", func(t *testing.T) {
		filter := &adminv1.EventMatch{Kinds: []string{"ProjectCreated", "KeyCreated"}}
		for range 18 {
			filter.Kinds = append(filter.Kinds, "ServiceAccountTokenCreated", "OrganizationCreated")
		}
		seen, token := 0, ""
		for page := 0; page == 0 || token != ""; page++ {
			answer := call(t, n.history.ListEvents, &adminv1.ListEventsRequest{Match: filter, Page: &adminv1.Page{Size: 1, Token: token}})
			seen, token = seen+len(answer.Events), answer.NextPageToken
		}
		same(t, seen, len(n.events(filter)))
		same(t, seen > 2, true)
	})
	t.Run("before_and_after", func(t *testing.T) {
		found := n.events(&adminv1.EventMatch{ResourceId: n.route.Id})
		same(t, len(found), 2)
		same(t, found[0].Kind+" "+found[1].Kind, "RouteUpdated RouteCreated")
		same(t, found[0].Resource.Name+" "+found[1].Resource.Name, "fast gpt")
		same(t, paths(found[0].Fields), "name targets")
		same(t, field(found[0].Fields, "name"), `"gpt"→"fast"`)
		same(t, strings.Contains(field(found[0].Fields, "targets"), other.Id), true)
		same(t, field(found[1].Fields, "name"), `unset→"gpt"`)
	})
	t.Run("what_is_no_more", func(t *testing.T) {
		call(t, n.prices.DeletePriceOverride, &adminv1.DeletePriceOverrideRequest{Id: n.override.Id})
		e := n.events(&adminv1.EventMatch{ResourceId: n.override.Id})[0]
		same(t, e.Resource.Name, "own/m")
		same(t, field(e.Fields, "rates.input"), `"1.25"→unset`)
	})
	t.Run("hashes_are_not_shown", func(t *testing.T) {
		for _, kind := range []string{"KeyCreated", "ServiceAccountTokenCreated", "EnrolmentTokenCreated"} {
			e := n.events(&adminv1.EventMatch{Kinds: []string{kind}})[0]
			if text := protojson.Format(e); strings.Contains(text, "sha256") {
				t.Errorf("%s shows a hash: %s", kind, text)
			}
		}
	})
	t.Run("one", func(t *testing.T) {
		same(t, call(t, n.history.GetEvent, &adminv1.GetEventRequest{Version: 2}).Event.Kind, "MemberAdded")
		refused(t, connect.CodeNotFound, n.history.GetEvent, &adminv1.GetEventRequest{Version: n.head() + 1})
	})
}

func TestEventFilters(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	all := n.events(nil)
	same(t, len(all), int(n.head()))
	middle := all[len(all)/2]
	account := call(t, n.sessions.WhoAmI, &adminv1.WhoAmIRequest{}).Id
	in.enrol(n)
	counts := map[string]struct {
		filter *adminv1.EventMatch
		want   int
	}{
		"kinds":             {&adminv1.EventMatch{Kinds: []string{"KeyCreated", "RouteCreated"}}, 2},
		"actor":             {&adminv1.EventMatch{Actor: "operator"}, 4},
		"another_actor":     {&adminv1.EventMatch{Actor: "service_account:" + account}, len(all) - 4},
		"an_agent":          {&adminv1.EventMatch{Kinds: []string{"AgentEnrolled"}, ResourceId: ""}, 1},
		"versions":          {&adminv1.EventMatch{FirstVersion: 3, LastVersion: 5}, 3},
		"no_versions":       {&adminv1.EventMatch{FirstVersion: 5, LastVersion: 3}, 0},
		"before_a_time":     {&adminv1.EventMatch{BeforeTime: middle.RecordedAt}, int(middle.Version) - 1},
		"from_a_time":       {&adminv1.EventMatch{FromTime: middle.RecordedAt}, len(all) + 1 - int(middle.Version) + 1},
		"before_everything": {&adminv1.EventMatch{BeforeTime: timestamppb.New(n.organization.CreatedAt.AsTime().Add(-1))}, 0},
		"all_of_it":         {&adminv1.EventMatch{ResourceId: n.key.Id, Kinds: []string{"RouteCreated"}}, 0},
	}
	for name, c := range counts {
		t.Run(name, func(t *testing.T) { same(t, len(n.events(c.filter)), c.want) })
	}
	t.Run("pages", func(t *testing.T) {
		page, last := &adminv1.Page{Size: 3}, n.head()+1
		for {
			answer := call(t, n.history.ListEvents, &adminv1.ListEventsRequest{Page: page})
			for _, e := range answer.Events {
				same(t, e.Version, last-1)
				last = e.Version
			}
			if answer.NextPageToken == "" {
				break
			}
			page = &adminv1.Page{Size: 3, Token: answer.NextPageToken}
		}
		same(t, last, 1)
		refused(t, connect.CodeInvalidArgument, n.history.ListEvents, &adminv1.ListEventsRequest{
			Page: &adminv1.Page{Token: page.Token}, Match: &adminv1.EventMatch{Actor: "operator"},
		})
	})
	t.Run("what_there_is_not", func(t *testing.T) {
		refused(t, connect.CodeInvalidArgument, n.history.ListEvents, &adminv1.ListEventsRequest{Match: &adminv1.EventMatch{Kinds: []string{"KeyMade"}}})
	})
}

// A role on a project opens the history of nothing.
func TestHistoryIsNotOfAProject(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	account := call(t, n.accounts.CreateServiceAccount, &adminv1.CreateServiceAccountRequest{Name: "bound", Role: adminv1.Role_ROLE_VIEWER}).ServiceAccount
	call(t, n.bindings.CreateRoleBinding, &adminv1.CreateRoleBindingRequest{
		Principal: &adminv1.CreateRoleBindingRequest_ServiceAccountId{ServiceAccountId: account.Id}, ProjectId: n.project.Id, Role: adminv1.Role_ROLE_ADMIN,
	})
	bound := in.as(call(t, n.accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{ServiceAccountId: account.Id, Name: "t"}).Secret)
	refused(t, connect.CodePermissionDenied, bound.history.ListEvents, &adminv1.ListEventsRequest{})
	refused(t, connect.CodePermissionDenied, bound.history.Diff, &adminv1.DiffRequest{From: atVersion(1)})
	refused(t, connect.CodePermissionDenied, bound.history.Revert, &adminv1.RevertRequest{Target: &adminv1.RevertRequest_ToVersion{ToVersion: 1}})
}
