package budget_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/quota"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var (
	id      = uuid.MustParse("0198a5c2-7d3e-7f00-8a11-0123456789ab")
	project = uuid.MustParse("0198a5c2-7d3e-7f00-8a11-0123456789ac")
	channel = uuid.MustParse("0198a5c2-7d3e-7f00-8a11-0123456789ad")
	at      = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	there   = budget.World{World: quota.World{Target: quota.Target{Exists: true}}, AlertChannels: map[uuid.UUID]bool{channel: true}}
)

func settings(change func(*budget.Settings)) budget.Settings {
	s := budget.Settings{
		Name: "team", Scope: quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_PROJECT, ID: project}, AmountNanoUSD: 5e9,
		Window:    quota.Window{Calendar: &quota.Calendar{Period: eventv1.CalendarPeriod_CALENDAR_PERIOD_MONTH, TimeZone: "Europe/Berlin"}},
		CarryOver: true, AlertPercents: []int32{50, 100}, AlertChannelIDs: []uuid.UUID{channel}, Mode: eventv1.QuotaMode_QUOTA_MODE_OFF,
	}
	if change != nil {
		change(&s)
	}
	return s
}

func event(change func(*eventv1.BudgetSettings)) *eventv1.BudgetSettings {
	e := &eventv1.BudgetSettings{
		Name: "team", Scope: &eventv1.QuotaScope{On: eventv1.QuotaOn_QUOTA_ON_PROJECT, Id: project.String()}, AmountNanoUsd: 5e9,
		Window: &eventv1.BudgetSettings_Calendar{
			Calendar: &eventv1.CalendarWindow{Period: eventv1.CalendarPeriod_CALENDAR_PERIOD_MONTH, TimeZone: "Europe/Berlin"},
		},
		CarryOver: true, AlertPercents: []int32{50, 100}, AlertChannelIds: []string{channel.String()}, Mode: eventv1.QuotaMode_QUOTA_MODE_OFF,
	}
	if change != nil {
		change(e)
	}
	return e
}

func TestDecisions(t *testing.T) {
	type decide = func() ([]eventlog.Change, error)
	was := budget.Budget{ID: id, Settings: settings(nil), CreatedAt: at, Version: 7}
	raised := was
	raised.Raised = &budget.Raise{AmountNanoUSD: 1e9, ExpiresAt: at.Add(time.Hour), Reason: "launch"}
	create := func(w budget.World, change func(*budget.Settings)) decide {
		return func() ([]eventlog.Change, error) { return budget.Create(id, settings(change), w) }
	}
	update := func(w budget.World, change func(*budget.Settings)) decide {
		return func() ([]eventlog.Change, error) { return was.Update(settings(change), w) }
	}
	raise := func(b budget.Budget, nano int64, long time.Duration) decide {
		return func() ([]eventlog.Change, error) {
			return b.Raise(budget.Raise{AmountNanoUSD: nano, ExpiresAt: at.Add(long), Reason: "launch"}, at)
		}
	}
	raisedBy := func(nano int64, long time.Duration) *eventv1.BudgetRaised {
		return &eventv1.BudgetRaised{AmountNanoUsd: nano, ExpiresAt: timestamppb.New(at.Add(long)), Reason: "launch"}
	}
	writeOff := func(change func(*budget.Lease)) decide {
		l := budget.Lease{Window: "lifetime", Subject: "jo", AgentID: id, Boot: "00000001-a", HeldNanoUSD: 5}
		if change != nil {
			change(&l)
		}
		return func() ([]eventlog.Change, error) { return was.WriteOff(l, "lost") }
	}
	gone, taken, full, deaf := there, there, there, there
	gone.Target, taken.NameTaken, full.Count, deaf.AlertChannels = quota.Target{}, true, quota.Most, nil
	rolling := quota.Window{Rolling: &quota.Rolling{Duration: time.Hour}}
	for _, c := range []struct {
		name    string
		decide  decide
		want    proto.Message // nil: nothing changes, or it is refused
		refused fault.Kind
	}{
		{"create", create(there, nil), &eventv1.BudgetCreated{Settings: event(nil)}, 0},
		{"create_in_a_rolling_window", create(there, func(s *budget.Settings) { s.Window, s.CarryOver = rolling, false }),
			&eventv1.BudgetCreated{Settings: event(func(e *eventv1.BudgetSettings) {
				e.CarryOver, e.Window = false, &eventv1.BudgetSettings_Rolling{Rolling: &eventv1.RollingWindow{DurationSeconds: 3600}}
			})}, 0},
		{"create_for_ever", create(there, func(s *budget.Settings) { s.Window, s.CarryOver = quota.Window{Lifetime: true}, false }),
			&eventv1.BudgetCreated{Settings: event(func(e *eventv1.BudgetSettings) {
				e.CarryOver, e.Window = false, &eventv1.BudgetSettings_Lifetime{Lifetime: &eventv1.LifetimeWindow{}}
			})}, 0},
		{"create_with_a_taken_name", create(taken, nil), nil, fault.Conflict},
		{"create_one_too_many", create(full, nil), nil, fault.Precondition},
		{"on_what_is_not_there", create(gone, nil), nil, fault.NotFound},
		{"with_a_channel_that_is_not_there", create(deaf, nil), nil, fault.NotFound},
		{"a_bad_name", create(there, func(s *budget.Settings) { s.Name = "" }), nil, fault.Invalid},
		{"no_amount", create(there, func(s *budget.Settings) { s.AmountNanoUSD = 0 }), nil, fault.Invalid},
		{"a_negative_amount", create(there, func(s *budget.Settings) { s.AmountNanoUSD = -1 }), nil, fault.Invalid},
		{"an_absurd_amount", create(there, func(s *budget.Settings) { s.AmountNanoUSD = 1e18 + 1 }), nil, fault.Invalid},
		{"no_window", create(there, func(s *budget.Settings) { s.Window = quota.Window{} }), nil, fault.Invalid},
		{"a_window_with_no_next_one", create(there, func(s *budget.Settings) { s.Window = rolling }), nil, fault.Invalid},
		{"no_mode", create(there, func(s *budget.Settings) { s.Mode = 0 }), nil, fault.Invalid},
		{"alerts_of_a_hard_one", create(there, func(s *budget.Settings) { s.Mode = eventv1.QuotaMode_QUOTA_MODE_HARD }),
			&eventv1.BudgetCreated{Settings: event(func(e *eventv1.BudgetSettings) { e.Mode = eventv1.QuotaMode_QUOTA_MODE_HARD })}, 0},
		{"alerts_of_a_soft_one", create(there, func(s *budget.Settings) {
			s.Mode, s.WhenUnreachable = eventv1.QuotaMode_QUOTA_MODE_SOFT, eventv1.WhenUnreachable_WHEN_UNREACHABLE_ALLOW
		}),
			&eventv1.BudgetCreated{Settings: event(func(e *eventv1.BudgetSettings) {
				e.Mode, e.WhenUnreachable = eventv1.QuotaMode_QUOTA_MODE_SOFT, eventv1.WhenUnreachable_WHEN_UNREACHABLE_ALLOW
			})}, 0},
		{"a_soft_one_with_nothing_for_outages", create(there, func(s *budget.Settings) { s.Mode, s.WhenUnreachable = eventv1.QuotaMode_QUOTA_MODE_SOFT, 0 }), nil, fault.Invalid},
		{"alert_percents_for_nobody", create(there, func(s *budget.Settings) { s.AlertChannelIDs = nil }), nil, fault.Invalid},
		{"channels_for_nothing", create(there, func(s *budget.Settings) { s.AlertPercents = nil }), nil, fault.Invalid},
		{"no_percent", create(there, func(s *budget.Settings) { s.AlertPercents = []int32{0, 50} }), nil, fault.Invalid},
		{"more_than_all", create(there, func(s *budget.Settings) { s.AlertPercents = []int32{101} }), nil, fault.Invalid},
		{"a_threshold_twice", create(there, func(s *budget.Settings) { s.AlertPercents = []int32{50, 50} }), nil, fault.Invalid},
		{"alert_percents_that_descend", create(there, func(s *budget.Settings) { s.AlertPercents = []int32{80, 50} }), nil, fault.Invalid},
		{"too_many_thresholds", create(there, func(s *budget.Settings) { s.AlertPercents = slices.Repeat([]int32{1}, 21) }), nil, fault.Invalid},
		{"too_many_channels", create(there, func(s *budget.Settings) { s.AlertChannelIDs = slices.Repeat(s.AlertChannelIDs, 11) }), nil, fault.Invalid},
		{"update", update(there, func(s *budget.Settings) { s.AmountNanoUSD = 6e9 }),
			&eventv1.BudgetUpdated{Settings: event(func(e *eventv1.BudgetSettings) { e.AmountNanoUsd = 6e9 })}, 0},
		{"update_to_the_same", update(taken, nil), nil, 0},
		{"update_to_a_taken_name", update(taken, func(s *budget.Settings) { s.Name = "other" }), nil, fault.Conflict},
		{"update_to_a_channel_that_is_not_there", update(deaf, func(s *budget.Settings) { s.AlertChannelIDs = []uuid.UUID{id} }), nil, fault.NotFound},
		{"another_scope", update(there, func(s *budget.Settings) { s.Scope.ID = id }), nil, fault.Invalid},
		{"raise", raise(was, 1e9, time.Hour), raisedBy(1e9, time.Hour), 0},
		{"raise_again", raise(raised, 2e9, time.Hour), raisedBy(2e9, time.Hour), 0},
		{"raise_said_twice", raise(raised, 1e9, time.Hour), nil, 0},
		{"raise_by_nothing", raise(was, 0, time.Hour), nil, fault.Invalid},
		{"raise_by_too_much", raise(was, 1e18+1, time.Hour), nil, fault.Invalid},
		{"raise_in_the_past", raise(was, 1e9, 0), nil, fault.Invalid},
		{"raise_for_ever", raise(was, 1e9, 367*24*time.Hour), nil, fault.Invalid},
		{"archive", func() ([]eventlog.Change, error) { return budget.Archive(was), nil }, &eventv1.BudgetArchived{}, 0},
		{"write_off", writeOff(nil), &eventv1.BudgetLeaseWrittenOff{
			Window: "lifetime", Subject: "jo", AgentId: id.String(), Boot: "00000001-a", HeldNanoUsd: 5, Reason: "lost",
		}, 0},
		{"write_off_of_nothing", writeOff(func(l *budget.Lease) { l.HeldNanoUSD = 0 }), nil, 0},
		{"write_off_of_no_window", writeOff(func(l *budget.Lease) { l.Window = "" }), nil, fault.Invalid},
		{"write_off_of_nobody", writeOff(func(l *budget.Lease) { l.AgentID = uuid.Nil }), nil, fault.Invalid},
		{"write_off_of_no_boot", writeOff(func(l *budget.Lease) { l.Boot = "" }), nil, fault.Invalid},
		{"release", func() ([]eventlog.Change, error) { return was.ReleaseLeases(7, "lost") }, &eventv1.BudgetLeasesReleased{Epoch: 7, Reason: "lost"}, 0},
		{"release_without_a_restore", func() ([]eventlog.Change, error) { return was.ReleaseLeases(0, "lost") }, nil, fault.Precondition},
		{"restore_with_a_taken_name", func() ([]eventlog.Change, error) { return was.Restore(taken) }, nil, fault.Conflict},
		{"restore_on_what_is_not_there", func() ([]eventlog.Change, error) { return was.Restore(gone) }, nil, fault.NotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			changes, err := c.decide()
			if c.refused != 0 {
				if !fault.Is(err, c.refused) || changes != nil {
					t.Errorf("got %v, %v", changes, err)
				}
				return
			}
			var want []eventlog.Change
			if c.want != nil {
				want = []eventlog.Change{{Subject: id, Body: c.want}}
			}
			if diff := cmp.Diff(want, changes, protocmp.Transform()); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
}

// A budget's life, folded from what was decided; what is restored is as it was.
func TestLife(t *testing.T) {
	b, version := budget.Budget{}, int64(0)
	fold := func(changes []eventlog.Change, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		version++
		recorded := eventlog.Event{Version: version, Subject: id, RecordedAt: at.Add(time.Duration(version) * time.Hour), Body: changes[0].Body}
		if b, err = budget.Apply(b, recorded); err != nil {
			t.Fatal(err)
		}
	}
	later := func(s *budget.Settings) { s.AmountNanoUSD = 6e9 }
	raise := budget.Raise{AmountNanoUSD: 1e9, ExpiresAt: at.Add(time.Hour), Reason: "launch"}
	fold(budget.Create(id, settings(nil), there))
	fold(b.Raise(raise, at))
	fold(b.Update(settings(later), there))
	want := budget.Budget{ID: id, Settings: settings(later), Raised: &raise, CreatedAt: at.Add(time.Hour), Version: 3}
	if diff := cmp.Diff(want, b); diff != "" {
		t.Error(diff)
	}
	fold(b.Restore(there))
	want.Version = 4
	if diff := cmp.Diff(want, b); diff != "" {
		t.Errorf("restored: %s", diff)
	}
	fold(b.WriteOff(budget.Lease{Window: "lifetime", AgentID: id, Boot: "00000001-a", HeldNanoUSD: 5}, ""))
	fold(b.ReleaseLeases(7, ""))
	want.Version = 6
	if diff := cmp.Diff(want, b); diff != "" {
		t.Errorf("what the ledger keeps: %s", diff)
	}
	for _, body := range []proto.Message{
		&eventv1.KeyRevoked{}, &eventv1.BudgetUpdated{}, &eventv1.BudgetUpdated{Settings: event(func(e *eventv1.BudgetSettings) { e.AlertChannelIds[0] = "x" })},
	} {
		if _, err := budget.Apply(b, eventlog.Event{Body: body}); err == nil {
			t.Errorf("folded %T", body)
		}
	}
}
