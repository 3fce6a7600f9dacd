package rpc_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/report"
	"github.com/weirhq/weir/controlplane/internal/rpc"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// lists are all there are, "Service/Method", with what each needs besides. The log has a
// filter of its own, by its columns; what agents say of credentials and targets is no list
// of things, and comes whole; subjects and past windows have the order of the ledger's books.
func lists(n *tenant) map[string]string {
	found := map[string]string{}
	for _, name := range everyRPC() {
		if service, method, _ := strings.Cut(name, "."); strings.HasPrefix(method, "List") && service != "HistoryService" && method != "ListQuotaSubjects" && method != "ListQuotaHistory" && method != "ListAgentCredentials" && method != "ListAgentTargets" {
			found[service+"/"+method] = "{}"
		}
	}
	members := call(n.t, n.members.ListMembers, &adminv1.ListMembersRequest{}).Members
	found["MemberService/ListMemberSessions"] = `{"memberId":"` + members[0].Id + `"}`
	return found
}

// body of a request with more fields.
func body(t *testing.T, base string, more map[string]any) string {
	t.Helper()
	fields := map[string]any{}
	if err := json.Unmarshal([]byte(base), &fields); err != nil {
		t.Fatal(err)
	}
	for name, value := range more {
		fields[name] = value
	}
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every list, now and to come, takes a filter and an order, and says what is wrong.
func TestLists_take_filter_and_order(t *testing.T) {
	in := installWith(t, rpc.AdminConfig{Report: rpc.NewReports(&report.Reports{}, nil, nil)})
	n := in.tenant("alpha")
	for path, base := range lists(n) {
		t.Run(path, func(t *testing.T) {
			caller := n
			if path == "OrganizationService/ListOrganizations" {
				caller = &tenant{token: operatorToken}
			}
			for _, c := range []struct{ field, text, says string }{
				{"filter", `nme = "x"`, `filter: column 1: there is no field "nme"; fields: `},
				{"filter", `(`, `filter: column 2: want a field or a word, not the end; fields: `},
				{"orderBy", `nme`, `order_by: can't order by "nme"; lists like this are ordered by `},
			} {
				got := in.send(caller, http.MethodPost, path, strings.NewReader(body(t, base, map[string]any{c.field: c.text})))
				want := map[string]string{"filter": "filter", "orderBy": "order_by"}[c.field]
				if got.status != http.StatusBadRequest || got.Code != "invalid_argument" || got.field() != want || !strings.HasPrefix(got.Message, c.says) {
					t.Errorf("%s: got %d %s", c.text, got.status, got.body)
				}
				// Each of the fields that it names stands in the documentation, and can be asked
				// for, or ordered by.
				_, fields, _ := strings.Cut(strings.TrimSuffix(got.Message, ", each with or without desc, between commas"), c.says)
				documented(t, strings.Split(path, "/")[1], want, fields)
				for field := range strings.SplitSeq(fields, ", ") {
					usable(t, in, caller, path, base, want, field)
				}
			}
		})
	}
}

// documented holds the table in docs/api.md against the fields that a list has.
func documented(t *testing.T, list, what, fields string) {
	t.Helper()
	text, err := os.ReadFile("../../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, " | ")
		if len(cells) != 3 || !strings.Contains(cells[0], "`"+list+"`") {
			continue
		}
		cell := map[string]string{"filter": cells[1], "order_by": strings.TrimSuffix(cells[2], " |\n")}[what]
		if cell != fields {
			t.Errorf("docs/api.md: %s of %s: %s; want %s", what, list, cell, fields)
		}
		return
	}
	t.Errorf("docs/api.md says nothing of %s: %s", list, fields)
}

// usable asks for a field with values of all kinds; those of a wrong kind are refused
// in words, and no field makes Postgres fail.
func usable(t *testing.T, in *installation, caller *tenant, path, base, what, field string) {
	t.Helper()
	if strings.HasPrefix(path, "ReportService/") {
		return // package report asks ClickHouse
	}
	ask := func(text string) (taken bool) {
		more := map[string]any{map[string]string{"filter": "filter", "order_by": "orderBy"}[what]: text}
		got := in.send(caller, http.MethodPost, path, strings.NewReader(body(t, base, more)))
		if got.status != http.StatusOK && got.Code != "invalid_argument" {
			t.Errorf("%s: got %d %s", text, got.status, got.body)
		}
		return got.status == http.StatusOK
	}
	if what == "order_by" {
		if !ask(field) || !ask(field+" desc") {
			t.Errorf("lists can't be ordered by %s", field)
		}
		return
	}
	operators := []string{" = ", ":", ".x = ", ".x:", " != ", " < ", " >= "}
	for first, operator := range operators[:4] { // what is none of a kind may be one of the next
		taken := takenOf(field+operator, ask)
		if len(taken) == 0 {
			continue
		}
		for i, operator := range slices.Delete(operators, first, first+1) {
			ask(strings.Repeat("NOT ", i%2) + field + operator + taken[i%len(taken)])
			ask(field + operator + hostileValues[i%len(hostileValues)])
		}
		return
	}
	t.Errorf("nothing can be asked of %s", field)
}

// takenOf are the values that may follow, of words only the first.
func takenOf(comparison string, ask func(string) bool) (taken []string) {
	for i, value := range hostileValues {
		if ask(strings.Repeat("NOT ", i%2) + comparison + value) {
			taken = append(taken, value)
		}
	}
	for _, word := range enumWords {
		if len(taken) < len(hostileValues) && ask(comparison+word) {
			return append(taken, word)
		}
	}
	return taken
}

var (
	hostileValues = []string{
		"*", "5", "-9223372036854775808", `"9999-12-31T23:59:59.999999999+14:00"`, "0001-01-01", "true",
		"00000000-0000-0000-0000-000000000000", `"' OR true --"`, `"\\"`, `"%"`, `"\u202e é"`,
	}
	enumWords = []string{"owner", "openai", "single", "active", "requests", "off", "organization", "test", "pending"}
)

func TestListKeys_filters(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	for i := range 5 {
		call(t, n.keys.CreateKey, &adminv1.CreateKeyRequest{
			Name: fmt.Sprintf("job-%d", i), ProjectId: n.project.Id, Labels: map[string]string{"team": []string{"search", "ads"}[i%2]},
		})
	}
	version := call(t, n.organizations.GetOrganization, &adminv1.GetOrganizationRequest{}).Organization.Version
	call(t, n.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: n.key.Id})
	names := func(request *adminv1.ListKeysRequest) (names []string) {
		for {
			page := call(t, n.keys.ListKeys, request)
			for _, k := range page.Keys {
				names = append(names, k.Name)
			}
			if page.NextPageToken == "" {
				return names
			}
			request.Page = &adminv1.Page{Size: request.GetPage().GetSize(), Token: page.NextPageToken}
		}
	}
	for text, want := range map[string]string{
		`job`: "job-0 job-1 job-2 job-3 job-4", `job-1 OR first`: "first job-1", `name = job-*`: "job-0 job-1 job-2 job-3 job-4",
		`labels.team = search`: "job-0 job-2 job-4", `NOT labels:team`: "first", `labels.team != search AND NOT revoked_at:*`: "job-1 job-3",
		`route_ids:` + n.route.Id: "first", `suffix = ` + n.key.Suffix: "first", `project_id = "` + n.project.Id + `" first`: "first",
		`created_at > 2100-01-01`: "",
	} {
		same(t, strings.Join(names(&adminv1.ListKeysRequest{Filter: text}), " "), want)
	}
	t.Run("pages_in_any_order_as_of_the_past", func(t *testing.T) {
		request := &adminv1.ListKeysRequest{
			Filter: "NOT revoked_at:*", OrderBy: "created_at desc", Page: &adminv1.Page{Size: 2},
			AsOf: &adminv1.AsOf{Point: &adminv1.AsOf_Version{Version: version}},
		}
		same(t, strings.Join(names(request), " "), "job-4 job-3 job-2 job-1 job-0 first")
	})
	t.Run("a_token_is_of_its_filter_and_order", func(t *testing.T) {
		first := &adminv1.ListKeysRequest{Filter: "job", OrderBy: "name desc", Page: &adminv1.Page{Size: 2}}
		token := call(t, n.keys.ListKeys, first).NextPageToken
		page := &adminv1.Page{Size: 2, Token: token}
		call(t, n.keys.ListKeys, &adminv1.ListKeysRequest{Filter: ` "job" `, OrderBy: "name  desc", Page: page})
		for _, other := range []*adminv1.ListKeysRequest{
			{OrderBy: "name desc", Page: page}, {Filter: "job", Page: page}, {Filter: "job-*", OrderBy: "name desc", Page: page},
			{Filter: "job", OrderBy: "name desc", ProjectId: n.project.Id, Page: page},
		} {
			err := refused(t, connect.CodeInvalidArgument, n.keys.ListKeys, other)
			if !strings.HasPrefix(err.Message(), "page.token: it is not of this list") {
				t.Errorf("got %v", err)
			}
		}
	})
}

// Filters are answered within the caller's reach, whatever they ask for.
func TestFilters_see_nothing_of_others(t *testing.T) {
	in := install(t)
	n, other := in.tenant("alpha"), in.tenant("beta")
	call(t, other.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "secret-of-beta", ProjectId: other.project.Id})
	b := n.bind("bot", adminv1.Role_ROLE_ADMIN)
	secret := b.key2
	hostile := []string{
		"", "NOT name = zzz", "name != zzz OR project_id != " + n.project.Id, "name = second OR " + secret.Name, "id = " + secret.Id,
		"project_id = " + b.project2.Id, "suffix = " + secret.Suffix, "id = " + other.key.Id, "secret-of-beta",
		"project_id = " + other.project.Id + " OR NOT project_id = " + other.project.Id,
		`created_at > 0001-01-01 OR labels."x') OR true --":*`, `name = "\"; RESET ROLE; --" OR name != x`,
	}
	for _, text := range hostile {
		for _, orderBy := range []string{"", "created_at desc"} {
			found := call(t, b.may.keys.ListKeys, &adminv1.ListKeysRequest{Filter: text, OrderBy: orderBy}).Keys
			if slices.ContainsFunc(found, func(k *adminv1.Key) bool { return k.ProjectId != b.project.Id }) {
				t.Errorf("%s: saw %v from a role on one project", text, found)
			}
			found = call(t, n.keys.ListKeys, &adminv1.ListKeysRequest{Filter: text, OrderBy: orderBy}).Keys
			if slices.ContainsFunc(found, func(k *adminv1.Key) bool { return k.ProjectId != b.project.Id && k.ProjectId != b.project2.Id }) {
				t.Errorf("%s: saw %v of another tenant", text, found)
			}
		}
	}
	t.Run("pages_that_were_begun_by_others", func(t *testing.T) {
		token := call(t, n.keys.ListKeys, &adminv1.ListKeysRequest{OrderBy: "created_at", Page: &adminv1.Page{Size: 1}}).NextPageToken
		found := call(t, b.may.keys.ListKeys, &adminv1.ListKeysRequest{OrderBy: "created_at", Page: &adminv1.Page{Token: token}}).Keys
		same(t, len(found), 0) // the only key within reach was on the page before
	})
	t.Run("projects", func(t *testing.T) {
		for _, text := range []string{"NOT name = zzz", "id = " + b.project2.Id, b.project2.Name, "display_name:o"} {
			for _, p := range call(t, b.may.projects.ListProjects, &adminv1.ListProjectsRequest{Filter: text}).Projects {
				same(t, p.Id, b.project.Id)
			}
		}
	})
}
