package quota_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/dataplane/internal/quota"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func TestAmounts(t *testing.T) {
	bubble(t, "spent_and_held_reach_the_limit_and_no_further", func(t *testing.T) {
		l := newLedger(t)
		q := budget(t, l, hard, 100, 0)
		m := run(t, l, "a", newDisk(1), q)
		for range 9 {
			reserve(t, m, quota.Claim{Quota: q, Amount: 10}).Settle([]int64{10})
		}
		r := reserve(t, m, quota.Claim{Quota: q, Amount: 10})
		refusal := refused(t, m, quota.Claim{Quota: q, Amount: 1})
		if refusal.Why != quota.Held || refusal.Quota != q || refusal.Limit != 100 || refusal.Taken != 100 || refusal.Available != 0 || refusal.RetryAfter != time.Second || refusal.Stays {
			t.Errorf("%v %+v", refusal.Why, refusal)
		}
		r.Settle([]int64{4})
		time.Sleep(time.Second)
		if refusal := refused(t, m, quota.Claim{Quota: q, Amount: 7}); refusal.Available != 6 || !refusal.Stays || refusal.RetryAfter != 0 {
			t.Errorf("6 are left for a smaller request, for ever: %+v", refusal)
		}
		reserve(t, m, quota.Claim{Quota: q, Amount: 6}).Settle([]int64{6})
		time.Sleep(3 * time.Second)
		if why := refused(t, m, quota.Claim{Quota: q, Amount: 1}).Why; why != quota.Exhausted {
			t.Errorf("refused as %v", why)
		}
		if spent, held := l.sums(id(q)); spent != 100 || held != 0 {
			t.Errorf("%d spent, %d held", spent, held)
		}
	})
	bubble(t, "what_is_leased_is_reserved_without_a_call", func(t *testing.T) {
		l := newLedger(t)
		q := budget(t, l, hard, 1_000_000, 0)
		m := run(t, l, "a", newDisk(1), q)
		reserve(t, m, quota.Claim{Quota: q, Amount: 10}).Settle([]int64{1})
		synctest.Wait()
		calls := l.called()
		began := time.Now()
		for range 2 {
			reserve(t, m, quota.Claim{Quota: q, Amount: 10}).Settle([]int64{1})
		}
		if l.called() != calls || time.Since(began) != 0 || count(t, m, "weir_agent_quota_wait_seconds") != 1 {
			t.Errorf("%d calls, %v", l.called()-calls, time.Since(began))
		}
	})
	bubble(t, "all_claims_or_none", func(t *testing.T) {
		l := newLedger(t)
		wide, narrow := budget(t, l, hard, 100, 0), budget(t, l, hard, 5, 0)
		m := run(t, l, "a", newDisk(1), wide, narrow)
		refusal := refused(t, m, quota.Claim{Quota: wide, Amount: 60}, quota.Claim{Quota: narrow, Amount: 6})
		if refusal.Quota != narrow || refusal.Claim != 1 || refusal.Available != 5 {
			t.Errorf("%+v", refusal)
		}
		r := reserve(t, m, quota.Claim{Quota: wide, Amount: 100})
		if before := r.Len(); m.Reserve(t.Context(), r, claim(narrow, 6)) == nil || r.Len() != before {
			t.Error("a refusal changed what was reserved before")
		}
		r.Release()
		reserve(t, m, quota.Claim{Quota: wide, Amount: 100}, quota.Claim{Quota: narrow, Amount: 5}).Release()
	})
	bubble(t, "several_new_quotas_are_asked_for_in_one_call", func(t *testing.T) {
		l := newLedger(t)
		var claims []quota.Claim
		var all []*quota.Quota
		for range 12 {
			q := budget(t, l, hard, 100, 0)
			all, claims = append(all, q), append(claims, quota.Claim{Quota: q, Amount: 10})
		}
		m := run(t, l, "a", newDisk(1), all...)
		synctest.Wait()
		calls := l.called()
		l.set(func() { l.before = func() error { time.Sleep(20 * time.Millisecond); return nil } })
		r := reserve(t, m, claims...)
		if l.called() != calls+1 || r.Len() != 12 {
			t.Errorf("%d calls", l.called()-calls)
		}
		record := &usagev1.UsageRecord{}
		record.Charges = r.AppendCharges(nil, nil)
		if len(record.GetCharges()) != 12 || record.GetCharges()[11].GetAmount() != 10 || record.GetCharges()[3].GetWindow() != "lifetime" {
			t.Errorf("%v", record.GetCharges())
		}
		record.Charges = r.AppendCharges(nil, []int64{3, 0, 5})
		if c := record.GetCharges(); len(c) != 11 || c[0].GetAmount() != 3 || c[1].GetAmount() != 5 || c[2].GetAmount() != 10 || string(c[1].GetQuotaId()) != string(all[2].ID[:]) {
			t.Errorf("%v", c)
		}
		r.Settle(nil)
		r.Settle(nil)
		m.stop()
		if err := m.Close(t.Context()); err != nil {
			t.Error(err)
		}
		for _, q := range all {
			if spent, held := l.sums(id(q)); spent != 10 || held != 0 {
				t.Errorf("%d spent, %d held", spent, held)
			}
		}
	})
	bubble(t, "the_first_of_those_that_wait_gets_what_is_there", func(t *testing.T) {
		l := newLedger(t)
		q := budget(t, l, hard, 25, 0)
		m := run(t, l, "a", newDisk(1), q)
		l.set(func() { l.before = func() error { time.Sleep(5 * time.Millisecond); return nil } })
		served := make(chan bool, 4)
		for range 4 {
			go func() { served <- m.Reserve(t.Context(), &quota.Reservation{}, claim(q, 10)) == nil }()
		}
		n := 0
		for range 4 {
			if <-served {
				n++
			}
		}
		if n != 2 {
			t.Errorf("%d of 4 are served, 2 fit", n)
		}
	})
	bubble(t, "many_under_way_do_not_make_others_wait", func(t *testing.T) {
		l := newLedger(t)
		q := budget(t, l, hard, 1_000_000, 0)
		m := run(t, l, "a", newDisk(1), q)
		for range 100 {
			reserve(t, m, quota.Claim{Quota: q, Amount: 10}) // goes on
			time.Sleep(100 * time.Millisecond)
		}
		if n := count(t, m, "weir_agent_quota_wait_seconds"); n > 3 {
			t.Errorf("%v of 100 waited", n)
		}
	})
	bubble(t, "an_idle_agent_gives_back", func(t *testing.T) {
		l := newLedger(t)
		q := budget(t, l, hard, 1_000, 0)
		m := run(t, l, "a", newDisk(1), q)
		reserve(t, m, quota.Claim{Quota: q, Amount: 100}).Settle([]int64{30})
		synctest.Wait()
		if _, held := l.sums(id(q)); held == 0 {
			t.Fatal("nothing is held for the next request")
		}
		time.Sleep(20 * time.Second)
		if spent, held := l.sums(id(q)); spent != 30 || held != 0 {
			t.Errorf("%d spent, %d held", spent, held)
		}
		calls := l.called()
		time.Sleep(time.Hour)
		if n := l.called() - calls; n < 59 || n > 61 { // it greets
			t.Errorf("an idle agent made %d calls in an hour", l.called()-calls)
		}
		other := run(t, l, "b", newDisk(1), q)
		reserve(t, other, quota.Claim{Quota: q, Amount: 970}).Release()
	})
	bubble(t, "above_the_reservation_is_overrun", func(t *testing.T) {
		l := newLedger(t)
		q := budget(t, l, hard, 1_000, 0)
		l.set(func() { l.soft[id(q)], l.slice = true, 1 }) // spends more than it was granted
		m := run(t, l, "a", newDisk(1), q)
		r := reserve(t, m, quota.Claim{Quota: q, Amount: 100})
		reserve(t, m, quota.Claim{Quota: q, Amount: 100}).Settle([]int64{400}) // what nobody granted
		reserve(t, m, quota.Claim{Quota: q, Amount: 50}).Settle([]int64{50})
		r.Settle([]int64{100})
		if count(t, m, "weir_agent_quota_overruns_total") != 1 {
			t.Error("it is not counted")
		}
		time.Sleep(3 * time.Second)
		if spent, held := l.sums(id(q)); spent != 550 || spent+held > 1_000 {
			t.Errorf("%d spent, %d held", spent, held)
		}
	})
}
