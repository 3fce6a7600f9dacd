package limit_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/limit"
	"github.com/weirhq/weir/controlplane/internal/quota"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const concurrent = eventv1.LimitMetric_LIMIT_METRIC_CONCURRENT_REQUESTS

var (
	id      = uuid.MustParse("0198a5c2-7d3e-7f00-8a11-0123456789ab")
	keyID   = uuid.MustParse("0198a5c2-7d3e-7f00-8a11-0123456789ac")
	project = uuid.MustParse("0198a5c2-7d3e-7f00-8a11-0123456789ad")
	at      = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	there   = quota.World{Target: quota.Target{Exists: true, ProjectID: project}}
)

func settings(change func(*limit.Settings)) limit.Settings {
	s := limit.Settings{
		Name: "rpm", Scope: quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_KEY, ID: keyID}, Metric: eventv1.LimitMetric_LIMIT_METRIC_REQUESTS, Amount: 60,
		Window: eventv1.LimitWindow_LIMIT_WINDOW_MINUTE, Mode: eventv1.QuotaMode_QUOTA_MODE_OFF, WhenUnreachable: eventv1.WhenUnreachable_WHEN_UNREACHABLE_ALLOW,
	}
	if change != nil {
		change(&s)
	}
	return s
}

func event(change func(*eventv1.LimitSettings)) *eventv1.LimitSettings {
	e := &eventv1.LimitSettings{
		Name: "rpm", Scope: &eventv1.QuotaScope{On: eventv1.QuotaOn_QUOTA_ON_KEY, Id: keyID.String(), ProjectId: project.String()},
		Metric: eventv1.LimitMetric_LIMIT_METRIC_REQUESTS, Amount: 60, Window: eventv1.LimitWindow_LIMIT_WINDOW_MINUTE,
		Mode: eventv1.QuotaMode_QUOTA_MODE_OFF, WhenUnreachable: eventv1.WhenUnreachable_WHEN_UNREACHABLE_ALLOW,
	}
	if change != nil {
		change(e)
	}
	return e
}

func TestDecisions(t *testing.T) {
	type decide = func() ([]eventlog.Change, error)
	create := func(w quota.World, change func(*limit.Settings)) decide {
		return func() ([]eventlog.Change, error) { return limit.Create(id, settings(change), w) }
	}
	was := limit.Limit{ID: id, Settings: settings(func(s *limit.Settings) { s.Scope.ProjectID = project }), CreatedAt: at, Version: 7}
	update := func(taken bool, change func(*limit.Settings)) decide {
		return func() ([]eventlog.Change, error) { return was.Update(settings(change), taken) }
	}
	gone, taken, full := there, there, there
	gone.Target, taken.NameTaken, full.Count = quota.Target{}, true, quota.Most
	for _, c := range []struct {
		name    string
		decide  decide
		want    proto.Message // nil: nothing changes, or it is refused
		refused fault.Kind
	}{
		{"create", create(there, nil), &eventv1.LimitCreated{Settings: event(nil)}, 0},
		{"create_of_concurrency", create(there, func(s *limit.Settings) { s.Metric, s.Window = concurrent, 0 }),
			&eventv1.LimitCreated{Settings: event(func(e *eventv1.LimitSettings) { e.Metric, e.Window = concurrent, 0 })}, 0},
		{"create_with_a_taken_name", create(taken, nil), nil, fault.Conflict},
		{"create_one_too_many", create(full, nil), nil, fault.Precondition},
		{"on_what_is_not_there", create(gone, nil), nil, fault.NotFound},
		{"a_bad_name", create(there, func(s *limit.Settings) { s.Name = "A b" }), nil, fault.Invalid},
		{"of_nothing", create(there, func(s *limit.Settings) { s.Metric = 0 }), nil, fault.Invalid},
		{"of_what_is_unknown", create(there, func(s *limit.Settings) { s.Metric = 4 }), nil, fault.Invalid},
		{"no_amount", create(there, func(s *limit.Settings) { s.Amount = 0 }), nil, fault.Invalid},
		{"an_absurd_amount", create(there, func(s *limit.Settings) { s.Amount = 1e15 + 1 }), nil, fault.Invalid},
		{"no_window", create(there, func(s *limit.Settings) { s.Window = 0 }), nil, fault.Invalid},
		{"concurrency_in_a_window", create(there, func(s *limit.Settings) { s.Metric = concurrent }), nil, fault.Invalid},
		{"nothing_for_outages", create(there, func(s *limit.Settings) { s.WhenUnreachable = 0 }), nil, fault.Invalid},
		{"no_mode", create(there, func(s *limit.Settings) { s.Mode = 0 }), nil, fault.Invalid},
		{"a_soft_one", create(there, func(s *limit.Settings) { s.Mode = eventv1.QuotaMode_QUOTA_MODE_SOFT }),
			&eventv1.LimitCreated{Settings: event(func(e *eventv1.LimitSettings) { e.Mode = eventv1.QuotaMode_QUOTA_MODE_SOFT })}, 0},
		{"update", update(false, func(s *limit.Settings) { s.Amount = 90 }), &eventv1.LimitUpdated{Settings: event(func(e *eventv1.LimitSettings) { e.Amount = 90 })}, 0},
		{"update_to_the_same", update(true, nil), nil, 0},
		{"update_to_a_taken_name", update(true, func(s *limit.Settings) { s.Name = "tpm" }), nil, fault.Conflict},
		{"update_to_a_soft_one", update(false, func(s *limit.Settings) { s.Mode = eventv1.QuotaMode_QUOTA_MODE_SOFT }),
			&eventv1.LimitUpdated{Settings: event(func(e *eventv1.LimitSettings) { e.Mode = eventv1.QuotaMode_QUOTA_MODE_SOFT })}, 0},
		{"another_scope", update(false, func(s *limit.Settings) { s.Scope = quota.Scope{On: eventv1.QuotaOn_QUOTA_ON_ORGANIZATION} }), nil, fault.Invalid},
		{"of_something_else", update(false, func(s *limit.Settings) { s.Metric = eventv1.LimitMetric_LIMIT_METRIC_TOKENS }), nil, fault.Invalid},
		{"archive", func() ([]eventlog.Change, error) { return limit.Archive(was), nil }, &eventv1.LimitArchived{}, 0},
		{"release", func() ([]eventlog.Change, error) { return was.ReleaseLeases(7, "lost") }, &eventv1.LimitLeasesReleased{Epoch: 7, Reason: "lost"}, 0},
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

// What is archived and restored is as it was.
func TestRestore(t *testing.T) {
	was := limit.Limit{ID: id, Settings: settings(func(s *limit.Settings) { s.Scope.ProjectID = project }), CreatedAt: at, Version: 7}
	changes, err := was.Restore(there)
	if err != nil {
		t.Fatal(err)
	}
	got, err := limit.Apply(limit.Limit{}, eventlog.Event{Version: 9, Subject: id, RecordedAt: at.Add(time.Hour), Body: changes[0].Body})
	was.Version = 9
	if diff := cmp.Diff(was, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	released, err := limit.Apply(was, eventlog.Event{Version: 10, Subject: id, Body: &eventv1.LimitLeasesReleased{Epoch: 7}})
	was.Version = 10
	if diff := cmp.Diff(was, released); diff != "" || err != nil {
		t.Errorf("what the ledger keeps: %v\n%s", err, diff)
	}
	for _, body := range []proto.Message{&eventv1.KeyRevoked{}, &eventv1.LimitUpdated{}} {
		if _, err := limit.Apply(was, eventlog.Event{Body: body}); err == nil {
			t.Errorf("folded %T", body)
		}
	}
}

func TestWindowAt(t *testing.T) {
	for window, want := range map[eventv1.LimitWindow]string{
		eventv1.LimitWindow_LIMIT_WINDOW_UNSPECIFIED: "",
		eventv1.LimitWindow_LIMIT_WINDOW_SECOND:      "03:04:05-03:04:06",
		eventv1.LimitWindow_LIMIT_WINDOW_MINUTE:      "03:04:00-03:05:00",
		eventv1.LimitWindow_LIMIT_WINDOW_HOUR:        "03:00:00-04:00:00",
		eventv1.LimitWindow_LIMIT_WINDOW_DAY:         "00:00:00-00:00:00",
	} {
		span, got := limit.Settings{Window: window}.WindowAt(at.Add(time.Millisecond)), ""
		if span != (quota.Span{}) {
			got = span.Start.Format(time.TimeOnly) + "-" + span.End.Format(time.TimeOnly)
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", window, got, want)
		}
	}
}
