package quota_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/quota"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func TestWindows(t *testing.T) {
	bubble(t, "a_turn_costs_nobody_a_wait", func(t *testing.T) {
		l := newLedger(t)
		q := budget(t, l, hard, 1_000, 10*time.Second)
		m := run(t, l, "a", newDisk(1), q)
		l.set(func() { l.before = func() error { time.Sleep(4 * time.Millisecond); return nil }; l.after = l.before })
		slow, waits := time.Duration(0), 0
		time.Sleep(700 * time.Millisecond) // else a call that settles is under way at each turn
		for i := range 3_000 {
			began := time.Now()
			reserve(t, m, quota.Claim{Quota: q, Amount: 1}).Settle([]int64{1})
			if took := time.Since(began); i > 10 && took > 0 {
				slow, waits = max(slow, took), waits+1
			}
			time.Sleep(10 * time.Millisecond)
		}
		if slow > 8*time.Millisecond || waits > 1 { // a call takes 8; one that settles may be under way
			t.Errorf("%d requests waited, up to %v", waits, slow)
		}
	})
	bubble(t, "a_request_stays_in_its_window", func(t *testing.T) {
		l := newLedger(t)
		q := budget(t, l, hard, 100, 10*time.Second)
		d := newDisk(1)
		m := run(t, l, "a", d, q)
		r := reserve(t, m, quota.Claim{Quota: q, Amount: 80})
		first, _ := l.window(id(q))
		time.Sleep(11 * time.Second)
		second, _ := l.window(id(q))
		reserve(t, m, quota.Claim{Quota: q, Amount: 90}).Settle([]int64{90})
		record := &usagev1.UsageRecord{}
		record.Charges = r.AppendCharges(nil, []int64{70})
		if record.GetCharges()[0].GetWindow() != first {
			t.Errorf("charged to %s", record.GetCharges()[0].GetWindow())
		}
		d.note(leaseKey{boot: d.boot, quota: id(q), window: first}, 70)
		r.Settle([]int64{70})
		time.Sleep(3 * time.Second)
		of := func(window string) lease { return l.of(leaseKey{"a", d.boot, id(q), "", window}) }
		if s := of(first); s.spent != 70 || !s.closed {
			t.Errorf("the first has %+v", s)
		}
		if s := of(second); s.spent != 90 || s.closed {
			t.Errorf("the second has %+v", s)
		}
		if n := d.len(); n != 0 {
			t.Errorf("the disk still has %d totals", n)
		}
	})
	bubble(t, "accounts_of_idle_subjects_are_dropped", func(t *testing.T) {
		l := newLedger(t)
		q := budget(t, l, hard, 100, 10*time.Second)
		m := run(t, l, "a", newDisk(1), q)
		for i := range 50 {
			r := &quota.Reservation{}
			if refusal := m.Reserve(t.Context(), r, []quota.Claim{{Quota: q, Subject: fmt.Sprint(i), Amount: 10}}); refusal != nil {
				t.Fatalf("%+v", refusal)
			}
			r.Settle([]int64{10})
		}
		if got := count(t, m, "weir_agent_quota_accounts"); got != 50 {
			t.Errorf("%v accounts", got)
		}
		time.Sleep(30 * time.Second)
		if got := count(t, m, "weir_agent_quota_accounts"); got != 0 {
			t.Errorf("%v accounts are left", got)
		}
		if spent, held := l.sums(id(q)); spent != 500 || held != 0 {
			t.Errorf("%d spent, %d held", spent, held)
		}
	})
	bubble(t, "and_go_on_where_they_were", func(t *testing.T) {
		l := newLedger(t)
		q := budget(t, l, hard, 100, 0)
		d := newDisk(1)
		m := run(t, l, "a", d, q)
		of := quota.Claim{Quota: q, Subject: "h1.a", Amount: 30}
		key := leaseKey{boot: d.boot, quota: id(q), subject: "h1.a", window: "lifetime"}
		for spent := int64(20); spent <= 80; spent += 20 {
			reserve(t, m, of).Settle([]int64{20})
			d.mu.Lock()
			if d.totals[key] != spent-20 {
				t.Errorf("%d are on the disk before it takes 20 more of %d", d.totals[key], spent)
			}
			d.totals[key] += 20
			d.mu.Unlock()
			time.Sleep(2 * time.Minute)
			if got := count(t, m, "weir_agent_quota_accounts"); got != 0 || d.len() != 0 {
				t.Errorf("%v accounts, %d totals on the disk", got, d.len())
			}
			if got, held := l.sums(id(q)); got != spent || held != 0 {
				t.Errorf("%d spent, %d held", got, held)
			}
		}
		if left := refused(t, m, of).Available; left != 20 {
			t.Errorf("%d are left", left)
		}
	})
}
