package ledger

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/alert"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// telling at these percents, one channel.
func tellingAt(percents ...int32) func(*eventv1.BudgetSettings) {
	return func(s *eventv1.BudgetSettings) {
		s.AlertPercents, s.AlertChannelIds = percents, []string{uuid.NewString()}
	}
}

// told are the alerts of an organization: subject, percent, spent and limit, sorted.
func (w *world) told(organization uuid.UUID) (all []string) {
	w.t.Helper()
	say := func(s alert.Threshold) {
		all = append(all, fmt.Sprintf("%s%d%%: %d of %d", s.Subject, s.Percent, s.SpentNanoUSD, s.LimitNanoUSD))
	}
	if w.db == nil {
		m := w.store.(*memory)
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, one := range m.of(organization).raised {
			say(one.says)
		}
		slices.Sort(all)
		return all
	}
	err := w.db.Snapshot(context.Background(), organization, func(tx pgx.Tx) error {
		rows, err := tx.Query(context.Background(), `SELECT id, kind, raised_at, body FROM alert a WHERE kind = 'budget.threshold'
			AND EXISTS (SELECT FROM alert_delivery d WHERE d.organization_id = a.organization_id AND d.alert_id = a.id)`)
		if err != nil {
			return err
		}
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[alert.Alert])
		for _, a := range found {
			data, err := a.Data()
			if err != nil {
				return err
			}
			say(*data.Budget)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(all)
	return all
}

func (w *world) tells(organization uuid.UUID, want ...string) {
	w.t.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, w.told(organization)); diff != "" {
		w.t.Errorf("told (-want +got):\n%s", diff)
	}
}

// Each percent is told of once in a window, in every mode that counts.
func TestThresholds(t *testing.T) {
	for _, mode := range []eventv1.QuotaMode{hard, soft, shadow} {
		stores(t, func(t *testing.T, w *world) {
			organization := uuid.New()
			a := w.agent(organization)
			quota := w.budget(organization, settings(100, mode, tellingAt(50, 80, 100), everyHour))
			g := w.lease(a, 1, need(quota, 100))[0]
			w.lease(a, 1, after(quota, g, 49))
			w.tells(organization)
			w.lease(a, 1, after(quota, g, 50))
			w.lease(a, 1, after(quota, g, 51))
			w.lease(a, 1, after(quota, g, 51))
			w.tells(organization, "50%: 50 of 100")
			w.lease(a, 1, after(quota, g, 100))
			w.tells(organization, "50%: 50 of 100", "80%: 100 of 100", "100%: 100 of 100")
			w.step(time.Hour)
			g = w.lease(a, 1, closed(after(quota, g, 100)), need(quota, 70))[1]
			w.lease(a, 1, after(quota, g, 60))
			w.tells(organization, "50%: 50 of 100", "80%: 100 of 100", "100%: 100 of 100", "50%: 60 of 100")
		})
	}
}

func TestThresholds_of_nothing(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		quiet := w.budget(organization, settings(100, hard))
		out := w.budget(organization, settings(100, off, tellingAt(1)))
		for _, quota := range []uuid.UUID{quiet, out} {
			w.lease(a, 1, after(quota, w.lease(a, 1, need(quota, 100))[0], 100))
		}
		w.tells(organization)
	})
}

// The percent is of what the window allows: with raises and what was carried over.
func TestThresholds_of_the_limit(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		raised := w.budget(organization, settings(100, hard, tellingAt(50)))
		w.say(organization, raised, &eventv1.BudgetRaised{AmountNanoUsd: 100, ExpiresAt: timestamppb.New(w.now().Add(time.Hour))})
		g := w.lease(a, 1, need(raised, 150))[0]
		w.lease(a, 1, after(raised, g, 99))
		w.tells(organization)
		w.lease(a, 1, after(raised, g, 100))
		w.tells(organization, "50%: 100 of 200")

		lowered := w.budget(organization, settings(100, hard, tellingAt(90)))
		g = w.lease(a, 1, need(lowered, 50))[0]
		w.lease(a, 1, after(lowered, g, 50))
		less := settings(50, hard, tellingAt(90))
		w.say(organization, lowered, &eventv1.BudgetUpdated{Settings: less})
		w.lease(a, 1, after(lowered, g, 50))
		w.tells(organization, "50%: 100 of 200", "90%: 50 of 50")

		carried := w.budget(organization, settings(100, hard, tellingAt(50), everyHour, carrying))
		g = w.lease(a, 1, need(carried, 40))[0]
		w.lease(a, 1, closed(after(carried, g, 20)))
		w.step(time.Hour)
		g = w.lease(a, 1, need(carried, 120))[0]
		w.lease(a, 1, after(carried, g, 89))
		w.tells(organization, "50%: 100 of 200", "90%: 50 of 50")
		w.lease(a, 1, after(carried, g, 90))
		w.tells(organization, "50%: 100 of 200", "90%: 50 of 50", "50%: 90 of 180")
	})
}

// What is settled after its window counts there.
func TestThresholds_late(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		quota := w.budget(organization, settings(100, hard, tellingAt(50), everyHour))
		g := w.lease(a, 1, need(quota, 60))[0]
		w.step(time.Hour)
		w.lease(a, 1, need(quota, 10))
		w.lease(a, 1, closed(after(quota, g, 60)))
		w.tells(organization, "50%: 60 of 100")
	})
}

// Of a rolling window a percent is told once in its length.
func TestThresholds_rolling(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization := uuid.New()
		a := w.agent(organization)
		quota := w.budget(organization, settings(100, soft, tellingAt(50), overAnHour))
		spend := func(amount int64) {
			t.Helper()
			g := w.lease(a, 1, need(quota, amount))[0]
			w.lease(a, 1, closed(after(quota, g, g.GetSpent()+amount)))
		}
		spend(30)
		w.step(10 * time.Minute)
		spend(30)
		w.tells(organization, "50%: 60 of 100")
		for range 4 {
			w.step(10 * time.Minute)
			spend(20)
		}
		w.tells(organization, "50%: 60 of 100")
		w.step(20 * time.Minute) // a whole hour after it was told, and still beyond
		spend(20)
		w.tells(organization, "50%: 60 of 100", "50%: 80 of 100")
	})
}

// Subjects are told of apart, organizations as well.
func TestThresholds_apart(t *testing.T) {
	stores(t, func(t *testing.T, w *world) {
		organization, other := uuid.New(), uuid.New()
		a, b := w.agent(organization), w.agent(other)
		quota := w.budget(organization, settings(100, hard, tellingAt(50), eachEndUser))
		for subject, spent := range map[string]int64{"ann ": 60, "bob ": 70, "eve ": 10} {
			h := need(quota, 100)
			h.Subject = subject
			g := w.lease(a, 1, h)[0]
			h = after(quota, g, spent)
			h.Subject = subject
			w.lease(a, 1, h)
		}
		w.tells(organization, "ann 50%: 60 of 100", "bob 50%: 70 of 100")
		w.lease(b, 1, need(quota, 100)) // another tenant's budget
		w.tells(other)
	})
}

// Two control planes settle the same budget at once: each percent is raised once.
func TestThresholds_two_processes(t *testing.T) {
	w := inPostgres(t)
	organization := uuid.New()
	quota := w.budget(organization, settings(1000, hard, tellingAt(10, 50, 90), lifetime))
	processes := []*Ledger{w.process(), w.process()}
	var all sync.WaitGroup
	for i := range 10 {
		a, l := w.agent(organization), processes[i%2]
		all.Go(func() {
			granted, spent := int64(0), int64(0)
			for spent < 100 {
				h := &agentv1.Holding{QuotaId: quota.String(), Window: forEver, Granted: granted, Spent: spent, Need: 10}
				answer, err := l.Lease(context.Background(), a, &agentv1.LeaseRequest{Boot: boot(1), Holdings: []*agentv1.Holding{h}})
				if err != nil {
					t.Error(err)
					return
				}
				granted = answer.GetGrants()[0].GetGranted()
				spent = granted
			}
			h := &agentv1.Holding{QuotaId: quota.String(), Window: forEver, Granted: granted, Spent: spent, Closed: true}
			if _, err := l.Lease(context.Background(), a, &agentv1.LeaseRequest{Boot: boot(1), Holdings: []*agentv1.Holding{h}}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if told := w.told(organization); len(told) != 3 {
		t.Errorf("told %v", told)
	}
}

// The store remembers what was told where the account does not: after a restore.
func TestThresholds_restored(t *testing.T) {
	w := inPostgres(t)
	organization := uuid.New()
	a := w.agent(organization)
	quota := w.budget(organization, settings(100, soft, tellingAt(50)))
	g := w.lease(a, 1, need(quota, 60))[0]
	w.lease(a, 1, after(quota, g, 60))
	w.change(organization, `UPDATE quota_account SET told_percent = 0 WHERE organization_id = $1`)
	w.lease(a, 1, after(quota, g, 60))
	w.tells(organization, "50%: 60 of 100")
}

func TestReaches(t *testing.T) {
	for _, c := range []struct {
		spent, limit int64
		percent      int32
		want         bool
	}{
		{0, 0, 1, false}, {0, 100, 1, false}, {1, 100, 1, true}, {1, 101, 1, false}, {1, 0, 100, true}, {-5, 100, 1, false},
		{most, most, 100, true}, {most - 1, most, 100, false}, {most, 1, 100, true}, {1, most, 1, false}, {most / 2, most, 50, true},
	} {
		if got := reaches(c.spent, c.limit, c.percent); got != c.want {
			t.Errorf("%d of %d, %d%%: %t", c.spent, c.limit, c.percent, got)
		}
	}
}
