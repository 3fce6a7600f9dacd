package rpc_test

import (
	"fmt"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/policy"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const (
	hashed = adminv1.EndUsers_END_USERS_HASHED
	plain  = adminv1.EndUsers_END_USERS_PLAIN
)

// spelled is "HASHED team≤64 ticket≤16~[A-Z]+".
func spelled(u *adminv1.UsageSettings) string {
	text := strings.TrimPrefix(u.GetEndUsers().String(), "END_USERS_")
	for _, l := range u.GetLabels() {
		text += fmt.Sprintf(" %s≤%d", l.Name, l.MaxBytes)
		if l.Pattern != "" {
			text += "~" + l.Pattern
		}
	}
	return text
}

// compiledUsage follows the gateway's policy by what changes, and says what its agents get.
func (n *tenant) compiledUsage(before *policy.Compiled) (next *policy.Compiled, usage string) {
	n.t.Helper()
	query := n.policyQuery()
	if before != nil {
		query.Since = before.Version
	}
	state, err := n.in.store.PolicyState(n.t.Context(), query)
	if err != nil {
		n.t.Fatal(err)
	}
	if next, err = policy.CompileNext(before, state, builtinPrices); err != nil {
		n.t.Fatal(err)
	}
	for _, r := range next.Resources() {
		var g policyv1.Gateway
		if r.Kind != policy.KindGateway {
			continue
		}
		if err := proto.Unmarshal(r.Body, &g); err != nil {
			n.t.Fatal(err)
		}
		said := &adminv1.UsageSettings{EndUsers: adminv1.EndUsers(g.EndUsers)}
		for _, l := range g.Labels {
			said.Labels = append(said.Labels, &adminv1.LabelRule{Name: l.Name, MaxBytes: l.MaxBytes, Pattern: l.Pattern})
		}
		usage = spelled(said)
	}
	return next, usage
}

func TestUsageSettings(t *testing.T) {
	n := install(t).tenant("alpha")
	read := func(as *adminv1.AsOf) *adminv1.Organization {
		return call(t, n.organizations.GetOrganization, &adminv1.GetOrganizationRequest{AsOf: as}).Organization
	}
	update := func(u *adminv1.UsageSettings, paths ...string) *adminv1.UpdateOrganizationRequest {
		return &adminv1.UpdateOrganizationRequest{Organization: &adminv1.Organization{Usage: u}, UpdateMask: mask(paths...)}
	}
	const begins = "HASHED application≤64 environment≤64 feature≤64 team≤64"
	began := read(nil)
	same(t, spelled(began.Usage), begins)
	compiled, usage := n.compiledUsage(nil)
	same(t, usage, begins)

	opened := call(t, n.organizations.UpdateOrganization, update(&adminv1.UsageSettings{EndUsers: plain}, "usage.end_users")).Organization
	same(t, spelled(opened.Usage), strings.Replace(begins, "HASHED", "PLAIN", 1))
	compiled, usage = n.compiledUsage(compiled)
	same(t, usage, strings.Replace(begins, "HASHED", "PLAIN", 1))
	same(t, compiled.MinimumCapability, 8)

	t.Run("the_log_says_that_end_users_are_plain", func(t *testing.T) {
		newest := n.events(&adminv1.EventMatch{FirstVersion: opened.Version})[0]
		same(t, field(newest.Fields, "usage.end_users"), `"END_USERS_HASHED"→"END_USERS_PLAIN"`)
		same(t, newest.Body.AsMap()["usage"].(map[string]any)["endUsers"], any("END_USERS_PLAIN"))
		same(t, spelled(read(atVersion(began.Version)).Usage), begins)
		same(t, field(n.differences(began.Version, 0, 10)[began.Id].GetFields(), "usage.end_users"), `"END_USERS_HASHED"→"END_USERS_PLAIN"`)
	})
	t.Run("labels_alone", func(t *testing.T) {
		ticket := &adminv1.UsageSettings{Labels: []*adminv1.LabelRule{{Name: "ticket", MaxBytes: 16, Pattern: "[A-Z]+"}, {Name: "a"}}}
		after := call(t, n.organizations.UpdateOrganization, update(ticket, "usage.labels")).Organization
		same(t, spelled(after.Usage), "PLAIN a≤64 ticket≤16~[A-Z]+")
		compiled, usage = n.compiledUsage(compiled)
		same(t, usage, "PLAIN a≤64 ticket≤16~[A-Z]+")
		same(t, call(t, n.organizations.UpdateOrganization, update(ticket, "usage.labels")).Organization.Etag, after.Etag)
		renamed := call(t, n.organizations.UpdateOrganization, &adminv1.UpdateOrganizationRequest{Organization: &adminv1.Organization{DisplayName: "Alpha"}})
		same(t, spelled(renamed.Organization.Usage), "PLAIN a≤64 ticket≤16~[A-Z]+")
	})
	t.Run("none_of_them", func(t *testing.T) {
		same(t, spelled(call(t, n.organizations.UpdateOrganization, update(nil, "usage.labels")).Organization.Usage), "PLAIN")
		same(t, spelled(call(t, n.organizations.UpdateOrganization, update(&adminv1.UsageSettings{}, "usage")).Organization.Usage), "HASHED")
		compiled, usage = n.compiledUsage(compiled)
		same(t, usage, "HASHED")
	})
	t.Run("as_it_began", func(t *testing.T) {
		same(t, spelled(call(t, n.organizations.UpdateOrganization, update(nil, "usage")).Organization.Usage), begins)
	})
	t.Run("a_revert_brings_it_back", func(t *testing.T) {
		call(t, n.history.Revert, toVersion(opened.Version))
		same(t, spelled(read(nil).Usage), strings.Replace(begins, "HASHED", "PLAIN", 1))
	})
	t.Run("refused", func(t *testing.T) {
		for want, rules := range map[string][]*adminv1.LabelRule{
			"usage.labels[1].name":      {{Name: "a"}, {Name: "a"}},
			"usage.labels[0].pattern":   {{Name: "a", Pattern: "("}},
			"usage.labels[1].pattern":   {{Name: "a"}, {Name: "b", Pattern: "(abc){999}"}},
			"usage.labels[0].max_bytes": {{Name: "a", MaxBytes: 257}},
		} {
			err := refused(t, connect.CodeInvalidArgument, n.organizations.UpdateOrganization, update(&adminv1.UsageSettings{EndUsers: hashed, Labels: rules}))
			if !strings.Contains(err.Message(), "organization."+want) {
				t.Errorf("got %v, want it to name %s", err, want)
			}
		}
		refused(t, connect.CodeInvalidArgument, n.organizations.UpdateOrganization, update(nil, "usage.labels.name"))
	})
}
