package quota_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/dataplane/internal/quota"
)

// maxTerm is as long as nothing here takes.
const maxTerm = 1000 * time.Minute

func TestRates(t *testing.T) {
	bubble(t, "a_window_of_the_grid_lets_so_many_through", func(t *testing.T) {
		l := newLedger(t)
		q := rate(t, l, hard, 5, time.Minute)
		m := run(t, l, "a", newDisk(1), q)
		time.Sleep(50 * time.Second) // into the window
		for window := range 3 {
			for range 5 {
				reserve(t, m, quota.Claim{Quota: q, Amount: 1}).Settle(nil)
			}
			refusal := refused(t, m, quota.Claim{Quota: q, Amount: 1})
			left := time.Until(time.Now().Truncate(time.Minute).Add(time.Minute))
			if refusal.Why != quota.Exhausted || refusal.RetryAfter != left || !refusal.Ends.Equal(time.Now().Add(left)) || refusal.Limit != 5 || refusal.Taken != 5 {
				t.Errorf("window %d: %v %+v, %v are left", window, refusal.Why, refusal, left)
			}
			time.Sleep(left)
		}
	})
	bubble(t, "nothing_used_is_given_back_tokens_grow", func(t *testing.T) {
		l := newLedger(t)
		q := rate(t, l, hard, 100, time.Minute)
		m := run(t, l, "a", newDisk(1), q)
		r := reserve(t, m, quota.Claim{Quota: q, Amount: 60})
		r.Release()
		r = reserve(t, m, quota.Claim{Quota: q, Amount: 60})
		r.Grow(0, 30)
		if got := leftOf(t, m, q); got != 10 {
			t.Errorf("%d are left", got)
		}
		r.Settle([]int64{70})
		if got := leftOf(t, m, q); got != 30 {
			t.Errorf("%d are left once it is settled at less", got)
		}
		r = reserve(t, m, quota.Claim{Quota: q, Amount: 20})
		time.Sleep(time.Minute)
		reserve(t, m, quota.Claim{Quota: q, Amount: 50}).Settle(nil)
		r.Settle([]int64{5})
		if got := leftOf(t, m, q); got != 50 {
			t.Errorf("%d are left: the window before gave back", got)
		}
	})
	bubble(t, "what_grew_comes_back_in_the_window_it_grew_in", func(t *testing.T) {
		l := newLedger(t)
		q := rate(t, l, hard, 100, time.Minute)
		m := run(t, l, "a", newDisk(1), q)
		r := reserve(t, m, quota.Claim{Quota: q, Amount: 20})
		time.Sleep(time.Minute)
		reserve(t, m, quota.Claim{Quota: q, Amount: 50}).Settle(nil)
		r.Grow(0, 10)
		r.Grow(0, 20)
		if got := leftOf(t, m, q); got != 20 {
			t.Errorf("%d are left", got)
		}
		r.Settle([]int64{15}) // of 50
		if got := leftOf(t, m, q); got != 50 {
			t.Errorf("%d are left: all that grew came back, and no more", got)
		}
		r = reserve(t, m, quota.Claim{Quota: q, Amount: 10})
		r.Grow(0, 10)
		r.Release()
		if got := leftOf(t, m, q); got != 50 {
			t.Errorf("%d are left after a release", got)
		}
	})
	bubble(t, "an_answer_that_was_long_on_its_way_is_good_for_less", func(t *testing.T) {
		l := newLedger(t)
		l.term = 1500 * time.Millisecond
		q := rate(t, l, hard, 100, time.Minute)
		q.RefuseWhenUnreachable = true
		m := run(t, l, "a", newDisk(1), q)
		l.set(func() { l.after = func() error { time.Sleep(900 * time.Millisecond); return nil } })
		refused(t, m, quota.Claim{Quota: q, Amount: 1}) // after 50 ms
		time.Sleep(900 * time.Millisecond)
		l.set(func() { l.before = func() error { return errLost } })
		time.Sleep(time.Second) // 1.95 s after the ledger decided, which counts it for 2 s
		reserve(t, m, quota.Claim{Quota: q, Amount: 1}).Settle(nil)
		time.Sleep(100 * time.Millisecond)
		if why := refused(t, m, quota.Claim{Quota: q, Amount: 1}).Why; why != quota.Unreachable {
			t.Errorf("refused as %v", why)
		}
	})
	bubble(t, "the_sum_of_agents_stays_within_the_amount", func(t *testing.T) {
		l := newLedger(t)
		q := rate(t, l, hard, 10, time.Minute)
		a, b := run(t, l, "a", newDisk(1), q), run(t, l, "b", newDisk(1), q)
		served := 0
		for range 30 {
			for _, m := range []*running{a, b} {
				r := &quota.Reservation{}
				if m.Reserve(t.Context(), r, claim(q, 1)) == nil {
					served++
				}
				r.Settle(nil)
			}
			time.Sleep(time.Second)
		}
		if served != 10 {
			t.Errorf("%d are served in a minute, of 10", served)
		}
	})
	bubble(t, "an_idle_share_lapses_and_the_account_goes", func(t *testing.T) {
		l := newLedger(t)
		q := rate(t, l, hard, 10, time.Second)
		m := run(t, l, "a", newDisk(1), q)
		reserve(t, m, quota.Claim{Quota: q, Amount: 1}).Settle(nil)
		time.Sleep(15 * time.Second)
		calls := l.called()
		time.Sleep(time.Minute)
		if l.called() > calls+1 || count(t, m, "weir_agent_quota_accounts") != 0 {
			t.Errorf("%d calls for nothing", l.called()-calls)
		}
		reserve(t, m, quota.Claim{Quota: q, Amount: 1}).Settle(nil)
	})
	bubble(t, "soft_ones_count_what_goes_beyond", func(t *testing.T) {
		l := newLedger(t)
		q, s := rate(t, l, soft, 2, time.Minute), slots(t, l, shadow, 1)
		m := run(t, l, "a", newDisk(1), q, s)
		for range 5 {
			reserve(t, m, quota.Claim{Quota: q, Amount: 1}).Settle(nil)
		}
		if n := count(t, m, "weir_agent_quota_beyond_total"); n != 3 {
			t.Errorf("%v of 3 beyond", n)
		}
		reserve(t, m, quota.Claim{Quota: s})
		reserve(t, m, quota.Claim{Quota: s})
		if n := count(t, m, "weir_agent_quota_beyond_total"); n != 4 {
			t.Errorf("%v of 4 beyond", n)
		}
	})
}

func TestSlots(t *testing.T) {
	bubble(t, "so_many_are_under_way", func(t *testing.T) {
		l := newLedger(t)
		q := slots(t, l, hard, 3)
		m := run(t, l, "a", newDisk(1), q)
		var all []*quota.Reservation
		for range 3 {
			all = append(all, reserve(t, m, quota.Claim{Quota: q}))
		}
		time.Sleep(time.Minute) // they go on, and the share is renewed
		if why := refused(t, m, quota.Claim{Quota: q}).Why; why != quota.Exhausted {
			t.Errorf("refused as %v", why)
		}
		all[0].Settle(nil)
		all[0].Settle(nil)
		reserve(t, m, quota.Claim{Quota: q})
		refused(t, m, quota.Claim{Quota: q})
		all[1].Release()
		reserve(t, m, quota.Claim{Quota: q})
	})
	bubble(t, "slots_move_to_who_needs_them", func(t *testing.T) {
		l := newLedger(t)
		q := slots(t, l, hard, 4)
		a, b := run(t, l, "a", newDisk(1), q), run(t, l, "b", newDisk(1), q)
		var all []*quota.Reservation
		for range 4 {
			all = append(all, reserve(t, a, quota.Claim{Quota: q}))
		}
		refused(t, b, quota.Claim{Quota: q})
		for _, r := range all {
			r.Settle(nil)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		for range 4 {
			reserve(t, b, quota.Claim{Quota: q})
		}
		refused(t, a, quota.Claim{Quota: q})
	})
}
