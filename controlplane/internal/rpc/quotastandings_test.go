package rpc_test

import (
	"context"
	"log/slog"
	"strconv"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/ledger"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

const (
	hard      = adminv1.QuotaMode_QUOTA_MODE_HARD
	firstBoot = "00000001-test"
)

func eachEndUser() *adminv1.QuotaScope {
	return &adminv1.QuotaScope{On: &adminv1.QuotaScope_EndUser{EndUser: &adminv1.EndUserScope{}}}
}

// forEver is a hard budget without windows.
func forEver(name string, scope *adminv1.QuotaScope, nano int64) *adminv1.CreateBudgetRequest {
	return &adminv1.CreateBudgetRequest{
		Name: name, Scope: scope, AmountNanoUsd: nano, Mode: hard,
		Window: &adminv1.BudgetWindow{Window: &adminv1.BudgetWindow_Lifetime{Lifetime: &adminv1.LifetimeWindow{}}},
	}
}

// leases answers agents as of some time ago.
func (in *installation) leases(ago time.Duration) *ledger.Ledger {
	return ledger.New(ledger.Config{DB: in.db, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Now().Add(-ago) }})
}

// lease has an agent hold what it needs, and spend some.
func lease(t *testing.T, l *ledger.Ledger, a gateway.Agent, quota, subject string, needed, spent int64) *agentv1.Grant {
	t.Helper()
	say := func(h *agentv1.Holding) *agentv1.Grant {
		h.QuotaId, h.Subject = quota, subject
		answer, err := l.Lease(t.Context(), a, &agentv1.LeaseRequest{Boot: firstBoot, Holdings: []*agentv1.Holding{h}})
		if err != nil {
			t.Fatal(err)
		}
		return answer.GetGrants()[0]
	}
	g := say(&agentv1.Holding{Need: needed})
	if spent == 0 {
		return g
	}
	return say(&agentv1.Holding{Window: g.GetWindow(), Granted: g.GetGranted(), Spent: spent})
}

func TestGetQuota(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	a, agents := in.enrol(n), in.leases(0)
	asked := monthly("month", onProjectScope(n.project))
	asked.Mode = hard
	made := call(t, n.budgets.CreateBudget, asked).Budget
	call(t, n.budgets.RaiseBudget, raiseOf(made, 1_000_000_000))
	lease(t, agents, a, made.Id, "", 2_000_000_000, 500_000_000)

	got := call(t, n.quotas.GetQuota, &adminv1.GetQuotaRequest{Id: made.Id})
	q, s := got.Quota, got.Quota.Standing
	if q.Name != "month" || q.Kind != adminv1.QuotaKind_QUOTA_KIND_BUDGET || q.Unit != adminv1.QuotaUnit_QUOTA_UNIT_NANO_USD || q.Mode != hard ||
		q.Scope.GetProjectId() != n.project.Id {
		t.Errorf("got %v", q)
	}
	if s.Limit != 6_000_000_000 || s.Raised != 1_000_000_000 || s.Spent != 500_000_000 || s.Held != 1_500_000_000 || s.Free != 4_000_000_000 ||
		s.Stranded != 0 || !s.Window.StartsAt.AsTime().Before(time.Now()) || !s.Window.EndsAt.AsTime().After(time.Now()) {
		t.Errorf("got %v", s)
	}
	if len(got.Leases) != 1 || got.Leases[0].Held != 1_500_000_000 || got.Leases[0].AgentId != a.ID.String() || got.Leases[0].Boot != firstBoot || got.Leases[0].Stranded {
		t.Errorf("got %v", got.Leases)
	}
	refused(t, connect.CodeInvalidArgument, n.quotas.GetQuota, &adminv1.GetQuotaRequest{Id: made.Id, Subject: "jo"})

	t.Run("of_a_rate", func(t *testing.T) {
		asked := requestsOf("rpm", onKey(n.key))
		asked.Mode = hard
		rate := call(t, n.limits.CreateLimit, asked).Limit
		_, err := agents.Lease(t.Context(), a, &agentv1.LeaseRequest{Boot: firstBoot, Demands: []*agentv1.Demand{{QuotaId: rate.Id, Amount: 10}}})
		if err != nil {
			t.Fatal(err)
		}
		s := call(t, n.quotas.GetQuota, &adminv1.GetQuotaRequest{Id: rate.Id}).Quota.Standing
		if s.Limit != 60 || s.Window != nil || s.Forecast != nil {
			t.Errorf("got %v", s)
		}
	})
	t.Run("off", func(t *testing.T) {
		got := call(t, n.quotas.GetQuota, &adminv1.GetQuotaRequest{Id: n.budgeted(t, onOrganization()).Id})
		if got.Quota.Standing != nil || len(got.Leases) > 0 {
			t.Errorf("got %v", got)
		}
	})
	t.Run("each_end_user", func(t *testing.T) {
		apart := call(t, n.budgets.CreateBudget, forEver("users", eachEndUser(), 100)).Budget
		for i := range 7 {
			lease(t, agents, a, apart.Id, "u"+strconv.Itoa(i), 20, int64(i+1))
		}
		got := call(t, n.quotas.GetQuota, &adminv1.GetQuotaRequest{Id: apart.Id})
		if top := got.Quota.TopSubjects; len(top) != 5 || top[0].Subject != "u6" || top[0].Spent != 7 || top[4].Subject != "u2" || got.Quota.Standing != nil || len(got.Leases) > 0 {
			t.Errorf("got %v", got)
		}
		got = call(t, n.quotas.GetQuota, &adminv1.GetQuotaRequest{Id: apart.Id, Subject: "u1"})
		if s := got.Quota.Standing; s.Subject != "u1" || s.Spent != 2 || s.Held != 18 || s.Free != 80 || len(got.Leases) != 1 || len(got.Quota.TopSubjects) > 0 {
			t.Errorf("got %v", got)
		}
		var names string
		request := &adminv1.ListQuotaSubjectsRequest{Id: apart.Id, Page: &adminv1.Page{Size: 3}}
		for range 3 {
			page := call(t, n.quotas.ListQuotaSubjects, request)
			for _, s := range page.Subjects {
				names += s.Subject
			}
			request.Page.Token = page.NextPageToken
		}
		same(t, names, "u6u5u4u3u2u1u0")
		same(t, request.Page.Token, "")
		refused(t, connect.CodeInvalidArgument, n.quotas.ListQuotaHistory, &adminv1.ListQuotaHistoryRequest{Id: apart.Id})
	})
}

func TestListQuotas(t *testing.T) {
	n := install(t).tenant("alpha")
	for _, name := range []string{"n", "o"} {
		call(t, n.budgets.CreateBudget, forEver(name, onOrganization(), 100))
	}
	call(t, n.budgets.CreateBudget, forEver("m", onKey(n.key), 100))
	call(t, n.limits.CreateLimit, requestsOf("d", onOrganization()))
	call(t, n.limits.CreateLimit, requestsOf("c", onKey(n.key)))
	listed := func(request *adminv1.ListQuotasRequest) (names string) {
		for range 10 {
			page := call(t, n.quotas.ListQuotas, request)
			for _, q := range page.Quotas {
				names += q.Name
				if (q.Standing != nil) != (q.Mode == hard) {
					t.Errorf("got %v", q)
				}
			}
			if page.NextPageToken == "" {
				return names
			}
			request.Page = &adminv1.Page{Size: request.Page.GetSize(), Token: page.NextPageToken}
		}
		return names + " without end"
	}
	for size := range int32(6) {
		same(t, listed(&adminv1.ListQuotasRequest{Page: &adminv1.Page{Size: size}}), "mnocd")
	}
	same(t, listed(&adminv1.ListQuotasRequest{Kind: adminv1.QuotaKind_QUOTA_KIND_LIMIT}), "cd")
	same(t, listed(&adminv1.ListQuotasRequest{Kind: adminv1.QuotaKind_QUOTA_KIND_BUDGET, Page: &adminv1.Page{Size: 1}}), "mno")
	same(t, listed(&adminv1.ListQuotasRequest{ProjectId: n.project.Id}), "mc")
	for size := range int32(6) {
		page := &adminv1.Page{Size: size}
		same(t, listed(&adminv1.ListQuotasRequest{OrderBy: "name desc", Page: page}), "onmdc")
		same(t, listed(&adminv1.ListQuotasRequest{Filter: "on = organization AND NOT name = n", Page: page}), "od")
		same(t, listed(&adminv1.ListQuotasRequest{Filter: "on = key", OrderBy: "created_at", Page: page}), "mc")
	}
	same(t, listed(&adminv1.ListQuotasRequest{Filter: "on = route"}), "")
	first := call(t, n.quotas.ListQuotas, &adminv1.ListQuotasRequest{Page: &adminv1.Page{Size: 1}})
	refused(t, connect.CodeInvalidArgument, n.quotas.ListQuotas, &adminv1.ListQuotasRequest{ProjectId: n.project.Id, Page: &adminv1.Page{Token: first.NextPageToken}})
	refused(t, connect.CodeInvalidArgument, n.quotas.ListQuotas, &adminv1.ListQuotasRequest{Filter: "on = key", Page: &adminv1.Page{Token: first.NextPageToken}})
}

func TestListQuotaHistory(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	a := in.enrol(n)
	asked := requestsOf("daily", onOrganization())
	asked.Window, asked.Mode = adminv1.LimitWindow_LIMIT_WINDOW_DAY, hard
	made := call(t, n.limits.CreateLimit, asked).Limit
	for days := 3; days >= 0; days-- {
		lease(t, in.leases(time.Duration(days)*24*time.Hour), a, made.Id, "", 50, int64(10+days))
	}
	var spent []int64
	request := &adminv1.ListQuotaHistoryRequest{Id: made.Id, Page: &adminv1.Page{Size: 2}}
	for range 2 {
		page := call(t, n.quotas.ListQuotaHistory, request)
		for _, w := range page.Windows {
			spent = append(spent, w.Spent)
			if w.Limit != 60 || w.Unsettled != 50-w.Spent || w.Window.EndsAt.AsTime().Sub(w.Window.StartsAt.AsTime()) != 24*time.Hour {
				t.Errorf("got %v", w)
			}
		}
		request.Page.Token = page.NextPageToken
	}
	if len(spent) != 3 || spent[0] != 11 || spent[1] != 12 || spent[2] != 13 || request.Page.Token != "" {
		t.Errorf("got %v, then %q", spent, request.Page.Token)
	}
	s := call(t, n.quotas.GetQuota, &adminv1.GetQuotaRequest{Id: made.Id}).Quota.Standing
	if s.Spent != 10 || s.Forecast == nil || s.Forecast.SpentAtEnd < 10 {
		t.Errorf("got %v", s)
	}
}

func TestWriteOffLease(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	a := in.enrol(n)
	made := call(t, n.budgets.CreateBudget, forEver("all", onOrganization(), 100)).Budget
	g := lease(t, in.leases(0), a, made.Id, "", 60, 10)
	request := &adminv1.WriteOffLeaseRequest{Id: made.Id, Window: g.GetWindow(), AgentId: a.ID.String(), Boot: firstBoot, Reason: "the host burnt down"}
	standing := func() *adminv1.QuotaStanding {
		return call(t, n.quotas.GetQuota, &adminv1.GetQuotaRequest{Id: made.Id}).Quota.Standing
	}
	err := refused(t, connect.CodeFailedPrecondition, n.quotas.WriteOffLease, request)
	same(t, detail(t, err).GetReason(), "lease_not_stranded")
	silent(t, n)
	same(t, standing().Stranded, 50)

	request.Mutation = &adminv1.Mutation{ValidateOnly: true}
	same(t, call(t, n.quotas.WriteOffLease, request).Lease.Held, 50)
	same(t, standing().Held, 50)

	request.Mutation = &adminv1.Mutation{RequestId: "once", Etag: "1"}
	refused(t, connect.CodeAborted, n.quotas.WriteOffLease, request)
	request.Mutation.Etag = made.Etag
	for range 2 { // once more is the same answer
		if l := call(t, n.quotas.WriteOffLease, request).Lease; l.Held != 50 || l.Spent != 10 || !l.Stranded {
			t.Errorf("got %v", l)
		}
	}
	if s := standing(); s.Held != 0 || s.Free != 90 || s.WrittenOff != 50 || s.Stranded != 0 {
		t.Errorf("got %v", s)
	}
	changes := call(t, n.history.ListEvents, &adminv1.ListEventsRequest{Match: &adminv1.EventMatch{ResourceId: made.Id}}).Events
	if last := changes[0]; last.Kind != "BudgetLeaseWrittenOff" {
		t.Errorf("the trail says %v", last)
	}
	request.Mutation = nil
	refused(t, connect.CodeNotFound, n.quotas.WriteOffLease, request)
	request.Reason = ""
	refused(t, connect.CodeInvalidArgument, n.quotas.WriteOffLease, request)

	t.Run("what_comes_later_is_overrun", func(t *testing.T) {
		_, err := in.leases(0).Lease(t.Context(), a, &agentv1.LeaseRequest{Boot: firstBoot, Holdings: []*agentv1.Holding{
			{QuotaId: made.Id, Window: g.GetWindow(), Granted: 60, Spent: 45},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if s := standing(); s.Spent != 45 || s.Overrun != 35 || s.Free != 55 {
			t.Errorf("got %v", s)
		}
	})
}

// silent has the tenant's agents not heard for three minutes.
func silent(t *testing.T, n *tenant) {
	t.Helper()
	n.inTables(t, `UPDATE quota_agent SET heard_at = heard_at - interval '3 minutes' WHERE organization_id = $1`)
}

func (n *tenant) inTables(t *testing.T, statement string) {
	t.Helper()
	organization := mustParse(t, n.organization.Id)
	err := n.in.db.InOrganization(t.Context(), organization, func(tx pgx.Tx) error {
		_, err := tx.Exec(context.Background(), statement, organization)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestReleaseLeases(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	a := in.enrol(n)
	made := call(t, n.budgets.CreateBudget, forEver("all", onOrganization(), 100)).Budget
	asked := requestsOf("daily", onOrganization())
	asked.Window, asked.Mode = adminv1.LimitWindow_LIMIT_WINDOW_DAY, hard
	daily := call(t, n.limits.CreateLimit, asked).Limit
	lease(t, in.leases(0), a, made.Id, "", 60, 10)
	request := &adminv1.ReleaseLeasesRequest{Id: made.Id, Reason: "the agent is gone"}
	if got := call(t, n.quotas.ReleaseLeases, request); len(got.WaitingAgentIds) > 0 || got.MayBeOutstanding != 0 {
		t.Errorf("never restored: %v", got)
	}
	n.inTables(t, `INSERT INTO policy_epoch (organization_id, epoch, restored_epoch, restored_at) VALUES ($1, 2000000000, 2000000000, clock_timestamp())
		ON CONFLICT (organization_id) DO UPDATE SET epoch = 2000000000, restored_epoch = 2000000000, restored_at = clock_timestamp()`)
	waiting := func(id string) int {
		return len(call(t, n.quotas.GetQuota, &adminv1.GetQuotaRequest{Id: id}).Quota.Standing.WaitingAgentIds)
	}
	same(t, waiting(made.Id), 1)
	request.Mutation = &adminv1.Mutation{ValidateOnly: true}
	shown := call(t, n.quotas.ReleaseLeases, request)
	if len(shown.WaitingAgentIds) != 1 || shown.WaitingAgentIds[0] != a.ID.String() || shown.KnownHeld != 50 || shown.MayBeOutstanding != 40 {
		t.Errorf("got %v", shown)
	}
	same(t, waiting(made.Id), 1)
	request.Mutation = nil
	same(t, call(t, n.quotas.ReleaseLeases, request).MayBeOutstanding, 40)
	same(t, waiting(made.Id), 0)
	same(t, waiting(daily.Id), 1)
	same(t, len(call(t, n.quotas.ReleaseLeases, &adminv1.ReleaseLeasesRequest{Id: daily.Id, Reason: "too"}).WaitingAgentIds), 1)
	same(t, waiting(daily.Id), 0)
	same(t, len(call(t, n.quotas.ReleaseLeases, request).WaitingAgentIds), 0)
	refused(t, connect.CodeInvalidArgument, n.quotas.ReleaseLeases, &adminv1.ReleaseLeasesRequest{Id: daily.Id})
}
