package rpc_test

import (
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

const off = adminv1.QuotaMode_QUOTA_MODE_OFF

func onOrganization() *adminv1.QuotaScope {
	return &adminv1.QuotaScope{On: &adminv1.QuotaScope_Organization{Organization: &adminv1.OrganizationScope{}}}
}

func onProjectScope(p *adminv1.Project) *adminv1.QuotaScope {
	return &adminv1.QuotaScope{On: &adminv1.QuotaScope_ProjectId{ProjectId: p.Id}}
}

func onKey(k *adminv1.Key) *adminv1.QuotaScope {
	return &adminv1.QuotaScope{On: &adminv1.QuotaScope_KeyId{KeyId: k.Id}}
}

// scopes name something of the tenant.
func (n *tenant) scopes() []*adminv1.QuotaScope {
	return []*adminv1.QuotaScope{
		onProjectScope(n.project), onKey(n.key),
		{On: &adminv1.QuotaScope_RouteId{RouteId: n.route.Id}}, {On: &adminv1.QuotaScope_ProviderId{ProviderId: n.provider.Id}},
	}
}

func requestsOf(name string, scope *adminv1.QuotaScope) *adminv1.CreateLimitRequest {
	return &adminv1.CreateLimitRequest{
		Name: name, Scope: scope, Metric: adminv1.LimitMetric_LIMIT_METRIC_REQUESTS, Amount: 60, Window: adminv1.LimitWindow_LIMIT_WINDOW_MINUTE,
		Mode: off, WhenUnreachable: adminv1.WhenUnreachable_WHEN_UNREACHABLE_REFUSE,
	}
}

func monthly(name string, scope *adminv1.QuotaScope) *adminv1.CreateBudgetRequest {
	return &adminv1.CreateBudgetRequest{Name: name, Scope: scope, AmountNanoUsd: 5_000_000_000, Mode: off, Window: &adminv1.BudgetWindow{
		Window: &adminv1.BudgetWindow_Calendar{Calendar: &adminv1.CalendarWindow{Period: adminv1.CalendarPeriod_CALENDAR_PERIOD_MONTH, TimeZone: "Europe/Berlin"}},
	}}
}

func raiseOf(b *adminv1.Budget, nano int64) *adminv1.RaiseBudgetRequest {
	return &adminv1.RaiseBudgetRequest{Id: b.Id, AmountNanoUsd: nano, ExpiresAt: timestamppb.New(time.Now().Add(time.Hour)), Reason: "launch"}
}

// limited is a new limit of the tenant.
func (n *tenant) limited(t *testing.T, scope *adminv1.QuotaScope) *adminv1.Limit {
	t.Helper()
	return call(t, n.limits.CreateLimit, requestsOf("l-"+newName(), scope)).Limit
}

// budgeted is a new budget of the tenant.
func (n *tenant) budgeted(t *testing.T, scope *adminv1.QuotaScope) *adminv1.Budget {
	t.Helper()
	return call(t, n.budgets.CreateBudget, monthly("b-"+newName(), scope)).Budget
}

func TestLimits(t *testing.T) {
	n := install(t).tenant("alpha")
	made := call(t, n.limits.CreateLimit, requestsOf("rpm", onKey(n.key))).Limit
	refused(t, connect.CodeAlreadyExists, n.limits.CreateLimit, requestsOf("rpm", onOrganization()))
	t.Run("the_window_of_this_moment", func(t *testing.T) {
		before := time.Now()
		read := call(t, n.limits.GetLimit, &adminv1.GetLimitRequest{Id: made.Id}).Limit
		start, end := read.CurrentWindow.StartsAt.AsTime(), read.CurrentWindow.EndsAt.AsTime()
		if end.Sub(start) != time.Minute || start.After(time.Now()) || !end.After(before) {
			t.Errorf("got %s to %s at %s", start, end, before)
		}
		same(t, call(t, n.limits.ListLimits, &adminv1.ListLimitsRequest{}).Limits[0].CurrentWindow != nil, true)
		same(t, made.CurrentWindow == nil, true)
	})
	t.Run("every_scope_is_told_as_it_was_said", func(t *testing.T) {
		for _, scope := range append(n.scopes(), onOrganization(),
			&adminv1.QuotaScope{On: &adminv1.QuotaScope_EndUser{EndUser: &adminv1.EndUserScope{}}},
			&adminv1.QuotaScope{On: &adminv1.QuotaScope_Label{Label: &adminv1.LabelScope{Name: "team"}}},
			&adminv1.QuotaScope{On: &adminv1.QuotaScope_Label{Label: &adminv1.LabelScope{Name: "team", Value: proto.String("")}}},
		) {
			read := call(t, n.limits.GetLimit, &adminv1.GetLimitRequest{Id: n.limited(t, scope).Id}).Limit
			if !proto.Equal(read.Scope, scope) {
				t.Errorf("got %v, want %v", read.Scope, scope)
			}
		}
		same(t, len(call(t, n.limits.ListLimits, &adminv1.ListLimitsRequest{ProjectId: n.project.Id}).Limits), 3)
	})
	t.Run("update_and_the_past", func(t *testing.T) {
		after := call(t, n.limits.UpdateLimit, &adminv1.UpdateLimitRequest{
			Limit: &adminv1.Limit{Id: made.Id, Amount: 90, Window: adminv1.LimitWindow_LIMIT_WINDOW_HOUR},
		}).Limit
		same(t, after.Amount, 90)
		after.Name = "rph"
		after = call(t, n.limits.UpdateLimit, &adminv1.UpdateLimitRequest{Limit: after}).Limit // what was read, its scope included
		same(t, after.Name, "rph")
		after.Scope = onOrganization()
		err := refused(t, connect.CodeInvalidArgument, n.limits.UpdateLimit, &adminv1.UpdateLimitRequest{Limit: after})
		same(t, strings.HasPrefix(err.Message(), "scope:"), true)
		was := call(t, n.limits.GetLimit, &adminv1.GetLimitRequest{
			Id: made.Id, AsOf: &adminv1.AsOf{Point: &adminv1.AsOf_Version{Version: mustVersion(t, made.Etag)}},
		}).Limit
		same(t, was.Amount, 60)
		same(t, was.CurrentWindow == nil, true)
	})
	t.Run("delete", func(t *testing.T) {
		refused(t, connect.CodeAborted, n.limits.DeleteLimit, &adminv1.DeleteLimitRequest{Id: made.Id, Mutation: &adminv1.Mutation{Etag: made.Etag}})
		call(t, n.limits.DeleteLimit, &adminv1.DeleteLimitRequest{Id: made.Id})
		call(t, n.limits.CreateLimit, requestsOf("rph", onOrganization()))
	})
}

func TestBudgets(t *testing.T) {
	n := install(t).tenant("alpha")
	request := monthly("team", onProjectScope(n.project))
	request.CarryOver, request.AlertPercents, request.AlertChannelIds = true, []int32{50, 100}, []string{n.channel.Id}
	request.Mutation = &adminv1.Mutation{RequestId: "once"}
	made := call(t, n.budgets.CreateBudget, request).Budget
	same(t, call(t, n.budgets.CreateBudget, request).Budget.Id, made.Id)
	same(t, made.CarryOver && made.AlertPercents[1] == 100 && made.AlertChannelIds[0] == n.channel.Id, true)

	t.Run("windows", func(t *testing.T) {
		berlin, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		read := call(t, n.budgets.GetBudget, &adminv1.GetBudgetRequest{Id: made.Id}).Budget.CurrentWindow
		same(t, read.StartsAt.AsTime().In(berlin).Format("02 15:04"), "01 00:00")
		same(t, read.StartsAt.AsTime().In(berlin).AddDate(0, 1, 0).Equal(read.EndsAt.AsTime()), true)
		was := call(t, n.budgets.GetBudget, &adminv1.GetBudgetRequest{
			Id: made.Id, AsOf: &adminv1.AsOf{Point: &adminv1.AsOf_Version{Version: mustVersion(t, made.Etag)}},
		}).Budget
		same(t, was.CurrentWindow == nil, true)

		rolling := monthly("rolling", onOrganization())
		rolling.Window = &adminv1.BudgetWindow{Window: &adminv1.BudgetWindow_Rolling{Rolling: &adminv1.RollingWindow{Duration: durationpb.New(time.Hour)}}}
		call(t, n.budgets.CreateBudget, rolling)
		ever := monthly("ever", onOrganization())
		ever.Window = &adminv1.BudgetWindow{Window: &adminv1.BudgetWindow_Lifetime{Lifetime: &adminv1.LifetimeWindow{}}}
		call(t, n.budgets.CreateBudget, ever)
		all := call(t, n.budgets.ListBudgets, &adminv1.ListBudgetsRequest{}).Budgets
		same(t, all[0].Name == "ever" && all[0].CurrentWindow == nil && proto.Equal(all[0].Window, ever.Window), true)
		same(t, all[1].CurrentWindow.EndsAt.AsTime().Sub(all[1].CurrentWindow.StartsAt.AsTime()), time.Hour)
		same(t, proto.Equal(all[1].Window, rolling.Window), true)
	})
	t.Run("raise", func(t *testing.T) {
		request := raiseOf(made, 1_000_000_000)
		raised := call(t, n.budgets.RaiseBudget, request).Budget
		same(t, raised.LastRaise.AmountNanoUsd, 1_000_000_000)
		same(t, call(t, n.budgets.RaiseBudget, request).Budget.Etag, raised.Etag)
		same(t, raised.AmountNanoUsd, made.AmountNanoUsd)
		after := call(t, n.budgets.UpdateBudget, &adminv1.UpdateBudgetRequest{Budget: &adminv1.Budget{Id: made.Id, AmountNanoUsd: 7}}).Budget
		same(t, after.LastRaise.GetReason(), "launch")
		same(t, call(t, n.budgets.RaiseBudget, raiseOf(made, 2)).Budget.LastRaise.AmountNanoUsd, 2)
		late := raiseOf(made, 1)
		late.ExpiresAt = timestamppb.New(time.Now().Add(-time.Second))
		refused(t, connect.CodeInvalidArgument, n.budgets.RaiseBudget, late)
	})
	t.Run("update_takes_a_window_whole", func(t *testing.T) {
		weekly := &adminv1.BudgetWindow{Window: &adminv1.BudgetWindow_Calendar{Calendar: &adminv1.CalendarWindow{Period: adminv1.CalendarPeriod_CALENDAR_PERIOD_WEEK, TimeZone: "UTC"}}}
		after := call(t, n.budgets.UpdateBudget, &adminv1.UpdateBudgetRequest{Budget: &adminv1.Budget{Id: made.Id, Window: weekly}}).Budget
		same(t, proto.Equal(after.Window, weekly) && after.CarryOver, true)
		refused(t, connect.CodeInvalidArgument, n.budgets.UpdateBudget, &adminv1.UpdateBudgetRequest{
			Budget: &adminv1.Budget{Id: made.Id}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"window"}},
		})
		silent := call(t, n.budgets.UpdateBudget, &adminv1.UpdateBudgetRequest{
			Budget: &adminv1.Budget{Id: made.Id}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"alert_percents", "alert_channel_ids", "carry_over"}},
		}).Budget
		same(t, len(silent.AlertPercents)+len(silent.AlertChannelIds), 0)
	})
	t.Run("what_is_said_wrong_is_named", func(t *testing.T) {
		for field, spoil := range map[string]func(*adminv1.CreateBudgetRequest){
			"amount_nano_usd":           func(r *adminv1.CreateBudgetRequest) { r.AmountNanoUsd = 1e18 + 1 },
			"window.calendar.time_zone": func(r *adminv1.CreateBudgetRequest) { r.Window.GetCalendar().TimeZone = "Local" },
			"window.window":             func(r *adminv1.CreateBudgetRequest) { r.Window = &adminv1.BudgetWindow{} },
			"scope.on":                  func(r *adminv1.CreateBudgetRequest) { r.Scope = &adminv1.QuotaScope{} },
			"alert_percents":            func(r *adminv1.CreateBudgetRequest) { r.AlertChannelIds = []string{n.channel.Id} },
			"mode":                      func(r *adminv1.CreateBudgetRequest) { r.Mode = 0 },
		} {
			request := monthly("wrong", onOrganization())
			spoil(request)
			if err := refused(t, connect.CodeInvalidArgument, n.budgets.CreateBudget, request); !strings.HasPrefix(err.Message(), field+":") {
				t.Errorf("%s: got %v", field, err)
			}
		}
	})
	t.Run("delete", func(t *testing.T) {
		call(t, n.budgets.DeleteBudget, &adminv1.DeleteBudgetRequest{Id: made.Id})
		refused(t, connect.CodeNotFound, n.budgets.GetBudget, &adminv1.GetBudgetRequest{Id: made.Id})
		request.Mutation = nil
		differ(t, call(t, n.budgets.CreateBudget, request).Budget.Id, made.Id)
	})
}

// Each mode is taken as it is said, with percents to tell of, and a soft budget says what
// becomes of requests while nothing is known.
func TestQuotaModes(t *testing.T) {
	n := install(t).tenant("alpha")
	for _, mode := range []adminv1.QuotaMode{
		adminv1.QuotaMode_QUOTA_MODE_OFF, adminv1.QuotaMode_QUOTA_MODE_HARD, adminv1.QuotaMode_QUOTA_MODE_SOFT, adminv1.QuotaMode_QUOTA_MODE_SHADOW,
	} {
		limit, budget := requestsOf(newName(), onOrganization()), monthly(newName(), onOrganization())
		limit.Mode, budget.Mode, budget.WhenUnreachable = mode, mode, adminv1.WhenUnreachable_WHEN_UNREACHABLE_REFUSE
		budget.AlertPercents, budget.AlertChannelIds = []int32{80}, []string{n.channel.Id}
		same(t, call(t, n.limits.CreateLimit, limit).Limit.Mode, mode)
		made := call(t, n.budgets.CreateBudget, budget).Budget
		same(t, made.Mode, mode)
		same(t, len(made.AlertPercents), 1)
	}
	made := n.budgeted(t, onOrganization())
	soft := &adminv1.Budget{Id: made.Id, Mode: adminv1.QuotaMode_QUOTA_MODE_SOFT}
	mask := &fieldmaskpb.FieldMask{Paths: []string{"mode", "when_unreachable"}}
	err := refused(t, connect.CodeInvalidArgument, n.budgets.UpdateBudget, &adminv1.UpdateBudgetRequest{Budget: soft, UpdateMask: mask})
	same(t, strings.HasPrefix(err.Message(), "when_unreachable:"), true)
	soft.WhenUnreachable = adminv1.WhenUnreachable_WHEN_UNREACHABLE_ALLOW
	same(t, call(t, n.budgets.UpdateBudget, &adminv1.UpdateBudgetRequest{Budget: soft, UpdateMask: mask}).Budget.Mode, soft.Mode)
}

func TestQuotasThatCouldNeverMatch(t *testing.T) {
	n := install(t).tenant("alpha")
	revoked := call(t, n.keys.CreateKey, &adminv1.CreateKeyRequest{Name: "revoked", ProjectId: n.project.Id}).Key
	call(t, n.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: revoked.Id})
	err := refused(t, connect.CodeFailedPrecondition, n.budgets.CreateBudget, monthly("late", onKey(revoked)))
	same(t, detail(t, err).GetReason(), "key_revoked")

	archived := call(t, n.projects.CreateProject, &adminv1.CreateProjectRequest{Name: "short"}).Project
	call(t, n.projects.DeleteProject, &adminv1.DeleteProjectRequest{Id: archived.Id})
	err = refused(t, connect.CodeNotFound, n.limits.CreateLimit, requestsOf("late", onProjectScope(archived)))
	same(t, detail(t, err).GetReason(), "project_not_found")
	same(t, strings.Contains(err.Message(), "scope.project_id"), true)
}

// What quotas are on stays while they do, but for keys, which end them.
func TestDeleteWhatQuotasName(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	inUse := func(err *connect.Error, what string) {
		t.Helper()
		if detail(t, err).GetReason() != "in_use" || !strings.Contains(err.Message(), what) {
			t.Errorf("got %v, want a mention of %s", err, what)
		}
	}
	limitOn := func(name string, scope *adminv1.QuotaScope) *adminv1.Limit {
		return call(t, n.limits.CreateLimit, requestsOf(name, scope)).Limit
	}
	scopes := n.scopes()
	onTheProject, onTheRoute, onTheProvider := limitOn("of-project", scopes[0]), limitOn("of-route", scopes[2]), limitOn("of-provider", scopes[3])
	onTheKey := limitOn("of-key", scopes[1])
	budget := call(t, n.budgets.CreateBudget, monthly("of-key", scopes[1])).Budget
	telling := monthly("telling", onOrganization())
	telling.AlertPercents, telling.AlertChannelIds = []int32{80}, []string{n.channel.Id}
	call(t, n.budgets.CreateBudget, telling)

	inUse(refused(t, connect.CodeFailedPrecondition, n.alerts.DeleteAlertChannel, &adminv1.DeleteAlertChannelRequest{Id: n.channel.Id}), `budget "telling"`)
	call(t, n.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: n.key.Id})
	call(t, n.limits.GetLimit, &adminv1.GetLimitRequest{Id: onTheKey.Id})
	inUse(refused(t, connect.CodeFailedPrecondition, n.projects.DeleteProject, &adminv1.DeleteProjectRequest{Id: n.project.Id}), `limit "of-key"`)

	before := n.version()
	call(t, n.keys.DeleteKey, &adminv1.DeleteKeyRequest{Id: n.key.Id})
	same(t, n.version(), before+3) // the limit, the budget and the key, in one step
	refused(t, connect.CodeNotFound, n.limits.GetLimit, &adminv1.GetLimitRequest{Id: onTheKey.Id})
	refused(t, connect.CodeNotFound, n.budgets.GetBudget, &adminv1.GetBudgetRequest{Id: budget.Id})

	inUse(refused(t, connect.CodeFailedPrecondition, n.projects.DeleteProject, &adminv1.DeleteProjectRequest{Id: n.project.Id}), `limit "of-project"`)
	inUse(refused(t, connect.CodeFailedPrecondition, n.routes.DeleteRoute, &adminv1.DeleteRouteRequest{Id: n.route.Id}), `limit "of-route"`)
	call(t, n.limits.DeleteLimit, &adminv1.DeleteLimitRequest{Id: onTheRoute.Id})
	call(t, n.routes.DeleteRoute, &adminv1.DeleteRouteRequest{Id: n.route.Id})
	inUse(refused(t, connect.CodeFailedPrecondition, n.providers.DeleteProvider, &adminv1.DeleteProviderRequest{Id: n.provider.Id}), `limit "of-provider"`)
	call(t, n.limits.DeleteLimit, &adminv1.DeleteLimitRequest{Id: onTheProvider.Id})
	call(t, n.providers.DeleteProvider, &adminv1.DeleteProviderRequest{Id: n.provider.Id})
	call(t, n.limits.DeleteLimit, &adminv1.DeleteLimitRequest{Id: onTheProject.Id})
	call(t, n.projects.DeleteProject, &adminv1.DeleteProjectRequest{Id: n.project.Id})
	in.whole(n)
}

// A team with its key, its limit and its budget is one batch.
func TestQuotasInBatches(t *testing.T) {
	n := install(t).tenant("alpha")
	onMade := func(placeholder string) *adminv1.QuotaScope {
		return &adminv1.QuotaScope{On: &adminv1.QuotaScope_ProjectId{ProjectId: placeholder}}
	}
	done := call(t, n.batches.Batch, &adminv1.BatchRequest{Operations: []*adminv1.Operation{
		{Request: &adminv1.Operation_CreateProject{CreateProject: &adminv1.CreateProjectRequest{Name: "search"}}},
		{Request: &adminv1.Operation_CreateKey{CreateKey: &adminv1.CreateKeyRequest{Name: "laptop", ProjectId: "$0"}}},
		{Request: &adminv1.Operation_CreateLimit{CreateLimit: requestsOf("rpm", &adminv1.QuotaScope{On: &adminv1.QuotaScope_KeyId{KeyId: "$1"}})}},
		{Request: &adminv1.Operation_CreateBudget{CreateBudget: monthly("search", onMade("$0"))}},
		{Request: &adminv1.Operation_UpdateLimit{UpdateLimit: &adminv1.UpdateLimitRequest{Limit: &adminv1.Limit{Id: "$2", Amount: 90}}}},
		{Request: &adminv1.Operation_UpdateBudget{UpdateBudget: &adminv1.UpdateBudgetRequest{Budget: &adminv1.Budget{Id: "$3", AmountNanoUsd: 9}}}},
		{Request: &adminv1.Operation_RaiseBudget{RaiseBudget: raiseOf(&adminv1.Budget{Id: "$3"}, 1)}},
	}}).Results
	same(t, done[2].GetCreateLimit().Limit.Scope.GetKeyId(), done[1].GetCreateKey().Key.Id)
	same(t, done[6].GetRaiseBudget().Budget.Scope.GetProjectId(), done[0].GetCreateProject().Project.Id)
	same(t, done[6].GetRaiseBudget().Budget.AmountNanoUsd, 9)
	call(t, n.batches.Batch, &adminv1.BatchRequest{Operations: []*adminv1.Operation{
		{Request: &adminv1.Operation_DeleteLimit{DeleteLimit: &adminv1.DeleteLimitRequest{Id: done[2].GetCreateLimit().Limit.Id}}},
		{Request: &adminv1.Operation_DeleteBudget{DeleteBudget: &adminv1.DeleteBudgetRequest{Id: done[3].GetCreateBudget().Budget.Id}}},
	}})
	same(t, len(call(t, n.limits.ListLimits, &adminv1.ListLimitsRequest{}).Limits), 0)
}
