package ledger

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/quota"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// spend leases an amount of a quota's present window and spends it.
func (w *world) spend(a gateway.Agent, quota uuid.UUID, subject string, amount int64) {
	w.t.Helper()
	h := need(quota, amount)
	h.Subject = subject
	g := w.lease(a, 1, h)[0]
	h = after(quota, g, g.GetSpent()+amount)
	h.Subject = subject
	w.lease(a, 1, h)
}

func TestTopSubjects(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		apart := w.budget(organization, settings(100, hard, eachEndUser))
		rolling := w.budget(organization, settings(100, hard, eachEndUser, overAnHour))
		for i := range 7 {
			w.spend(a, apart, fmt.Sprintf("user-%d", i), 10+int64(i%4)) // 10 11 12 13 10 11 12
			w.spend(a, rolling, "jo", 2)
			w.step(time.Minute)
		}
		var names []string
		all, err := w.reader.Status(t.Context(), organization, []uuid.UUID{apart})
		for _, s := range all {
			names = append(names, fmt.Sprintf("%s %d/%d", s.Subject, s.Spent, s.Free))
		}
		if diff := cmp.Diff([]string{"user-3 13/87", "user-2 12/88", "user-6 12/88", "user-1 11/89", "user-5 11/89"}, names); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		t.Run("paged", func(t *testing.T) {
			var names []string
			var after *Place
			for range 10 {
				page, next, err := w.reader.Subjects(t.Context(), organization, apart, after, 3)
				if err != nil || len(page) > 3 {
					t.Fatalf("%d of them, %v", len(page), err)
				}
				for _, s := range page {
					names = append(names, s.Subject)
				}
				if after = next; after == nil {
					break
				}
			}
			want := []string{"user-3", "user-2", "user-6", "user-1", "user-5", "user-0", "user-4"}
			if diff := cmp.Diff(want, names); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
		t.Run("sub_windows_count_together", func(t *testing.T) {
			if page, _, err := w.reader.Subjects(t.Context(), organization, rolling, nil, 3); err != nil || len(page) != 1 || page[0].Spent != 14 {
				t.Errorf("got %+v, %v", page, err)
			}
		})
		t.Run("one", func(t *testing.T) {
			if s, ok, err := w.reader.Subject(t.Context(), organization, apart, "user-3"); !ok || err != nil || s.Spent != 13 || s.Limit != 100 {
				t.Errorf("got %+v, %t, %v", s, ok, err)
			}
			if s, ok, err := w.reader.Subject(t.Context(), organization, apart, "nobody"); !ok || err != nil || s.Spent != 0 || s.Free != 100 {
				t.Errorf("got %+v, %t, %v", s, ok, err)
			}
			if _, ok, err := w.reader.Subject(t.Context(), uuid.New(), apart, "user-3"); ok || err != nil {
				t.Errorf("another organization sees it: %v", err)
			}
		})
	})
}

func TestHistory(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		hourly := w.budget(organization, settings(100, hard, everyHour, carrying))
		began := w.now()
		for i := range 5 {
			w.spend(a, hourly, "", 10*int64(i+1))
			w.step(time.Hour)
		}
		page, next, err := w.reader.History(t.Context(), organization, hourly, "", "", 2)
		want := []Past{
			{Span: hour(began, 4), Limit: 200, CarriedOver: 100, Spent: 50}, {Span: hour(began, 3), Limit: 200, CarriedOver: 100, Spent: 40},
		}
		compare := func(t *testing.T, want, got []Past) {
			t.Helper()
			for i := range want {
				want[i].Window = windowID(want[i].Span)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		}
		if compare(t, want, page); err != nil || next != want[1].Window {
			t.Errorf("next %q, %v", next, err)
		}
		page, next, err = w.reader.History(t.Context(), organization, hourly, "", next, 3)
		compare(t, []Past{
			{Span: hour(began, 2), Limit: 200, CarriedOver: 100, Spent: 30}, {Span: hour(began, 1), Limit: 190, CarriedOver: 90, Spent: 20},
			{Span: hour(began, 0), Limit: 100, Spent: 10},
		}, page)
		if next != "" || err != nil {
			t.Errorf("next %q, %v", next, err)
		}
		t.Run("of_another_organization", func(t *testing.T) {
			if page, _, err := w.reader.History(t.Context(), uuid.New(), hourly, "", "", 2); len(page) > 0 || err != nil {
				t.Errorf("got %v, %v", page, err)
			}
		})
	})
}

func hour(began time.Time, n int) quota.Span {
	return quota.Span{Start: began.Add(time.Duration(n) * time.Hour), End: began.Add(time.Duration(n+1) * time.Hour)}
}

// How a window ended is known when its account is gone, for 400 windows and a week; of
// subjects it is not.
func TestHistoryOutlivesAccounts(t *testing.T) {
	w := inPostgres(t)
	organization := uuid.New()
	a := w.agent(organization)
	hourly, apart := w.budget(organization, settings(100, hard, everyHour)), w.budget(organization, settings(100, hard, everyHour, eachEndUser))
	first := w.lease(a, 1, need(hourly, 30))[0]
	w.lease(a, 1, after(hourly, first, 10))
	w.spend(a, apart, "jo", 10)
	w.say(organization, hourly, &eventv1.BudgetLeaseWrittenOff{Window: first.GetWindow(), AgentId: a.ID.String(), Boot: boot(1)})
	began := w.now()
	w.step(8 * 24 * time.Hour)
	w.spend(a, hourly, "", 5)
	w.spend(a, apart, "jo", 5)
	past := func(id uuid.UUID, subject string) []Past {
		page, _, err := w.reader.History(t.Context(), organization, id, subject, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	want := []Past{{Window: first.GetWindow(), Span: hour(began, 0), Limit: 100, Spent: 10, WrittenOff: 20}}
	if diff := cmp.Diff(want, past(hourly, "")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if left := append(past(apart, "jo"), past(apart, "")...); len(left) > 0 {
		t.Errorf("of a subject there is %v", left)
	}
	w.step(400 * time.Hour)
	w.spend(a, hourly, "", 5) // clears away the one in between, and what is too old
	if left := past(hourly, ""); len(left) != 1 || !left[0].Span.Start.Equal(began.Add(8*24*time.Hour)) {
		t.Errorf("left %v", left)
	}
}

func TestForecast(t *testing.T) {
	begins := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	day := quota.Span{Start: begins, End: begins.Add(24 * time.Hour)}
	before := func(spent ...int64) (all []*account) { // the latest first
		for i, s := range spent {
			start := begins.AddDate(0, 0, -1-i)
			all = append(all, &account{span: quota.Span{Start: start, End: start.Add(24 * time.Hour)}, spent: s})
		}
		return all
	}
	at := func(hours float64) time.Time { return begins.Add(time.Duration(hours * float64(time.Hour))) }
	cases := []struct {
		name         string
		hours        float64
		spent, limit int64
		past         []*account
		want         *Forecast
	}{
		{"nothing_to_go_by", 0.5, 100, 1000, nil, nil},
		{"nothing_spent", 20, 0, 1000, nil, nil},
		{"the_window_alone", 6, 400, 1000, nil, &Forecast{ExhaustedAt: at(15), SpentAtEnd: 1600, Confidence: Low}},
		{"most_of_the_window", 12, 400, 1000, nil, &Forecast{SpentAtEnd: 800, Confidence: Medium}},
		{"the_past_alone", 0, 0, 1000, before(2400, 2400), &Forecast{ExhaustedAt: at(10), SpentAtEnd: 2400, Confidence: Low}},
		{"all_agree", 6, 600, 1000, before(2400, 2300, 2500), &Forecast{ExhaustedAt: at(10), SpentAtEnd: 2400, Confidence: High}},
		{"two_agree", 6, 600, 1000, before(2400), &Forecast{ExhaustedAt: at(10), SpentAtEnd: 2400, Confidence: Medium}},
		{"they_disagree", 6, 600, 1500, before(400), &Forecast{ExhaustedAt: at(30), SpentAtEnd: 1275, Confidence: Low}},
		{"one_of_three_was_empty", 6, 600, 5000, append(before(3600), before(0, 0, 3600)[2]), &Forecast{SpentAtEnd: 2400, Confidence: Medium}},
		{"other_windows_do_not_count", 6, 400, 1000, []*account{{span: quota.Span{Start: at(-1), End: at(0)}, spent: 1e9}}, &Forecast{ExhaustedAt: at(15), SpentAtEnd: 1600, Confidence: Low}},
		{"billions_of_dollars", 6, 4e17, 1e18, nil, &Forecast{ExhaustedAt: at(15), SpentAtEnd: 16e17, Confidence: Low}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := newCourse(at(c.hours), day, c.spent, c.past).forecast(at(c.hours), &Status{Span: day, Spent: c.spent, Limit: c.limit})
			if c.want != nil && !c.want.ExhaustedAt.Before(day.End) {
				c.want.ExhaustedAt = time.Time{}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestForecastOfQuotas(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		hourly, ever := w.budget(organization, settings(1000, hard, everyHour)), w.budget(organization, settings(1000, hard, lifetime))
		rolling := w.budget(organization, settings(1000, hard, overAnHour))
		for range 3 {
			for _, id := range []uuid.UUID{hourly, ever, rolling} {
				w.spend(a, id, "", 100)
			}
			w.step(time.Hour)
		}
		w.step(30 * time.Minute)
		w.spend(a, hourly, "", 50)
		if f := w.status(organization, hourly).Forecast; f == nil || *f != (Forecast{SpentAtEnd: 100, Confidence: High}) {
			t.Errorf("hourly: %+v", f)
		}
		if f := w.status(organization, rolling).Forecast; f != nil {
			t.Errorf("rolling: %+v", f)
		}
		w.spend(a, hourly, "", 950)
		if f := w.status(organization, hourly).Forecast; f != nil {
			t.Errorf("of what is used up: %+v", f)
		}
		made := &Reader{store: w.store, now: w.now}
		ends := func() *Forecast {
			s := w.status(organization, ever)
			return foreseeLifetime(w.now(), w.now().Add(-30*24*time.Hour), &s)
		}()
		if want := w.now().Add(70 * 24 * time.Hour); ends == nil || !ends.ExhaustedAt.Equal(want) || ends.Confidence != Medium {
			t.Errorf("lifetime: %+v, want %s", ends, want)
		}
		if all, err := made.Status(t.Context(), organization, []uuid.UUID{ever}); err != nil || all[0].Forecast != nil && w.db == nil {
			t.Errorf("after hours: %+v, %v", all, err)
		}
	})
}

// An agent whose disk forgot what it held never settles up: its earlier start is stranded,
// though the agent talks.
func TestStrandedByAnEarlierStart(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		firm, loose := w.budget(organization, settings(100, hard)), w.budget(organization, settings(100, soft))
		w.lease(a, 1, need(firm, 60), need(loose, 60))
		w.lease(a, 2, need(firm, 10), need(loose, 10))
		if s := w.status(organization, firm); s.Held != 70 || s.Stranded != 0 {
			t.Errorf("at once: %+v", s)
		}
		for range 12 {
			w.step(time.Minute)
			w.ledger = w.process()
			w.lease(a, 2, want(firm, 0))
		}
		s := w.status(organization, firm)
		if s.Held != 70 || s.Stranded != 60 || len(s.Leases) != 2 || !s.Leases[0].Stranded || s.Leases[0].Boot != boot(1) || s.Leases[1].Stranded {
			t.Errorf("later: %+v", s)
		}
		w.stands(organization, loose, 0, 10, 90)
	})
}

func TestClaimed(t *testing.T) {
	w := inPostgres(t)
	organization := uuid.New()
	a := w.agent(organization)
	id := w.budget(organization, settings(100, hard))
	g := w.lease(a, 1, need(id, 60))[0]
	key := LeaseKey{QuotaID: id, Window: g.GetWindow(), AgentID: a.ID, Boot: boot(1)}
	claim := func(organization uuid.UUID, key LeaseKey) (found Lease, err error) {
		err = w.db.Read(t.Context(), organization, func(tx pgx.Tx) (err error) {
			found, err = Claimed(context.Background(), tx, organization, key, w.now())
			return err
		})
		return found, err
	}
	if _, err := claim(organization, key); !fault.Is(err, fault.Precondition) {
		t.Errorf("while the agent talks: %v", err)
	}
	w.step(strandedAfter + time.Second)
	if l, err := claim(organization, key); err != nil || l.Held != 60 || !l.Stranded {
		t.Errorf("got %+v, %v", l, err)
	}
	if _, err := claim(uuid.New(), key); !fault.Is(err, fault.NotFound) {
		t.Errorf("of another organization: %v", err)
	}
	for name, change := range map[string]func(*LeaseKey){
		"boot": func(k *LeaseKey) { k.Boot = boot(2) }, "agent": func(k *LeaseKey) { k.AgentID = uuid.New() },
		"window": func(k *LeaseKey) { k.Window = forEver }, "subject": func(k *LeaseKey) { k.Subject = "\x00" },
	} {
		other := key
		change(&other)
		if _, err := claim(organization, other); !fault.Is(err, fault.NotFound) {
			t.Errorf("another %s: %v", name, err)
		}
	}
	w.say(organization, id, &eventv1.BudgetLeaseWrittenOff{Window: key.Window, AgentId: a.ID.String(), Boot: key.Boot})
	if _, err := claim(organization, key); !fault.Is(err, fault.NotFound) {
		t.Errorf("once more: %v", err)
	}
	if s := w.status(organization, id); s.WrittenOff != 60 || s.Free != 100 {
		t.Errorf("got %+v", s)
	}
	t.Run("what_comes_later_is_overrun", func(t *testing.T) {
		w.lease(a, 1, after(id, g, 40))
		if s := w.status(organization, id); s.Spent != 40 || s.Overrun != 40 || s.WrittenOff != 60 {
			t.Errorf("got %+v", s)
		}
	})
}

func TestWaits(t *testing.T) {
	w := inPostgres(t)
	organization := uuid.New()
	a, b := w.agent(organization), w.agent(organization)
	id, apart, hourly := w.budget(organization, settings(100, hard)), w.budget(organization, settings(100, hard, eachEndUser)), w.budget(organization, settings(100, hard, everyHour))
	wait := func(id uuid.UUID) (found Wait) {
		t.Helper()
		err := w.db.Read(t.Context(), organization, func(tx pgx.Tx) (err error) {
			found, err = Waits(context.Background(), tx, organization, id, w.now())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	w.spend(a, apart, "jo", 5)
	w.lease(a, 1, need(id, 30))
	w.lease(b, 1, need(id, 20), need(hourly, 1))
	if got := wait(id); got.Epoch != 0 || got.Agents != nil {
		t.Errorf("before any restore: %+v", got)
	}
	w.save(organization)
	w.step(time.Second)
	w.restore(organization, 2_000_000_000)
	w.step(time.Hour)
	for range 2 {
		w.lease(b, 1, &agentv1.Holding{QuotaId: id.String(), Window: w.status(organization, id).Window, Granted: 20})
	}
	if diff := cmp.Diff(Wait{Epoch: 2_000_000_000, Agents: []uuid.UUID{a.ID}, KnownHeld: 30, Free: 50}, wait(id)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := wait(apart); got.Free != 95 || len(got.Agents) != 1 {
		t.Errorf("of subjects: %+v", got)
	}
	if got := wait(hourly); got.Agents != nil {
		t.Errorf("of a window that began since: %+v", got)
	}
	w.say(organization, id, &eventv1.BudgetLeasesReleased{Epoch: 2_000_000_000})
	if got := wait(id); got.Agents != nil {
		t.Errorf("released: %+v", got)
	}
}
