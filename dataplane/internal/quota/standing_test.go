package quota_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/quota"
)

func standing(t *testing.T, m *running, q *quota.Quota) quota.Standing {
	t.Helper()
	s, known := m.Standing(q, "")
	if !known {
		t.Fatal("nothing is known")
	}
	return s
}

func TestStanding(t *testing.T) {
	bubble(t, "a_rate_has_left_what_others_cannot_be_using", func(t *testing.T) {
		l := newLedger(t)
		q := rate(t, l, hard, 60, time.Minute)
		a, b := run(t, l, "a", newDisk(1), q), run(t, l, "b", newDisk(1), q)
		if s, known := a.Standing(q, ""); known {
			t.Errorf("before the first request: %+v", s)
		}
		reserve(t, a, quota.Claim{Quota: q, Amount: 1}).Settle(nil) // a share of two
		left := time.Until(time.Now().Truncate(time.Minute).Add(time.Minute))
		if s := standing(t, a, q); s != (quota.Standing{Limit: 60, Left: 59, Resets: left}) {
			t.Errorf("alone: %+v", s)
		}
		for range 10 {
			reserve(t, b, quota.Claim{Quota: q, Amount: 1}).Settle(nil)
		}
		held := l.held(id(q), "a")
		if s := standing(t, b, q); held == 0 || s.Left != 60-held-10 {
			t.Errorf("beside one that has %d: %+v", held, s)
		}
		time.Sleep(left)
		reserve(t, b, quota.Claim{Quota: q, Amount: 1}).Settle(nil)
		if s := standing(t, b, q); s.Left != 60-held-1 || s.Resets != time.Minute {
			t.Errorf("in the next window: %+v", s)
		}
	})
	bubble(t, "an_amount_has_left_what_is_held_here_and_what_is_free", func(t *testing.T) {
		l := newLedger(t)
		q := budget(t, l, hard, 1000, time.Hour)
		a, b := run(t, l, "a", newDisk(1), q), run(t, l, "b", newDisk(1), q)
		reserve(t, a, quota.Claim{Quota: q, Amount: 100}).Settle([]int64{40})
		r := reserve(t, b, quota.Claim{Quota: q, Amount: 300})
		left := time.Until(time.Now().Truncate(time.Hour).Add(time.Hour))
		if s := standing(t, b, q); s.Limit != 1000 || s.Left > 600 || s.Left < 400 || s.Resets < left-time.Second || s.Resets > left {
			t.Errorf("%+v, %v are left of the window", s, left)
		}
		before := standing(t, b, q).Left
		r.Settle([]int64{100})
		if s := standing(t, b, q); s.Left != before+200 {
			t.Errorf("%+v, and %d were left before 200 came back", s, before)
		}
	})
	bubble(t, "nothing_is_said_of_what_bounds_nothing", func(t *testing.T) {
		l := newLedger(t)
		q, s := rate(t, l, hard, 60, time.Minute), slots(t, l, hard, 5)
		l.set(func() { delete(l.limits, id(q)) })
		m := run(t, l, "a", newDisk(1), q, s)
		reserve(t, m, quota.Claim{Quota: q, Amount: 1}, quota.Claim{Quota: s})
		for _, q := range []*quota.Quota{q, s, rate(t, l, hard, 1, time.Minute)} {
			if s, known := m.Standing(q, ""); known {
				t.Errorf("%s: %+v", q.Name, s)
			}
		}
	})
	bubble(t, "with_the_ledger_away_a_rate_is_all_there_is", func(t *testing.T) {
		l := newLedger(t)
		l.set(func() { l.before = func() error { return errLost } })
		q := rate(t, l, hard, 60, time.Minute)
		m := run(t, l, "a", newDisk(1), q)
		reserve(t, m, quota.Claim{Quota: q, Amount: 1}).Settle(nil)
		if s := standing(t, m, q); s.Left != 59 {
			t.Errorf("%+v", s)
		}
	})
}

// held is what an agent has of a rate.
func (l *ledger) held(quota, agent string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shares[quota][agent]
}
