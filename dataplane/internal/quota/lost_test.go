package quota_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/dataplane/internal/quota"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

func TestLost(t *testing.T) {
	bubble(t, "an_answer_about_a_window_that_is_known", func(t *testing.T) {
		l := newLedger(t)
		q := budget(t, l, hard, 1_000, 0)
		m := run(t, l, "a", newDisk(1), q)
		reserve(t, m, quota.Claim{Quota: q, Amount: 10}).Settle([]int64{10})
		time.Sleep(20 * time.Second)
		l.set(func() { l.after = func() error { return errLost } })
		refused(t, m, quota.Claim{Quota: q, Amount: 500})
		if _, held := l.sums(id(q)); held < 500 {
			t.Fatal("the ledger granted nothing")
		}
		l.set(func() { l.before = func() error { return errLost } })
		time.Sleep(time.Minute) // until nothing is wanted any more
		l.set(func() { l.before, l.after = nil, nil })
		time.Sleep(30 * time.Second)
		if spent, held := l.sums(id(q)); spent != 10 || held != 0 {
			t.Errorf("%d spent, %d held by nobody", spent, held)
		}
	})
	bubble(t, "a_close_that_the_ledger_did_not_take", func(t *testing.T) {
		l := newLedger(t)
		q := budget(t, l, hard, 1_000, 10*time.Second)
		d := newDisk(2)
		d.note(leaseKey{boot: "00000001", quota: id(q), window: "before"}, 7)
		l.deaf, l.soft[id(q)] = true, true // what an earlier boot was granted is not known here
		m := run(t, l, "a", d, q)
		time.Sleep(time.Second)
		if d.len() != 1 || l.settledUp() {
			t.Fatal("an earlier boot is forgotten before the ledger has it")
		}
		l.set(func() { l.deaf = false })
		time.Sleep(1500 * time.Millisecond)
		if d.len() != 0 || !l.settledUp() {
			t.Fatal("an earlier boot is not settled")
		}
		window, _ := l.window(id(q))
		reserve(t, m, quota.Claim{Quota: q, Amount: 10}).Settle([]int64{10})
		d.note(leaseKey{boot: d.boot, quota: id(q), window: window}, 10)
		l.set(func() { l.deaf = true })
		time.Sleep(20 * time.Second)
		if d.len() != 1 {
			t.Error("a window is forgotten before the ledger has it")
		}
		l.set(func() { l.deaf = false })
		time.Sleep(5 * time.Second)
		if spent, held := l.sums(id(q)); d.len() != 0 || spent != 17 || held != 0 {
			t.Errorf("%d on the disk, %d spent, %d held", d.len(), spent, held)
		}
	})
}

// A ledger that was restored says so once to each agent, and waits until it has called again:
// with all that it has.
func TestRestored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		idle, open, busy := budget(t, l, hard, 1_000, 0), budget(t, l, hard, 1_000, 0), budget(t, l, hard, 1_000, 0)
		m := run(t, l, "a", newDisk(1), idle, open, busy)
		reserve(t, m, quota.Claim{Quota: idle, Amount: 100}).Settle([]int64{30})
		r := reserve(t, m, quota.Claim{Quota: open, Amount: 200})
		reserve(t, m, quota.Claim{Quota: busy, Amount: 10}).Settle([]int64{10})
		time.Sleep(time.Minute + 10*time.Second)
		l.set(func() { clear(l.leases); l.denial = agentv1.Grant_DENIAL_RESTORED })
		if why := refused(t, m, quota.Claim{Quota: busy, Amount: 500}).Why; why != quota.Restored || !why.OurFault() {
			t.Errorf("refused as %v", why)
		}
		synctest.Wait()
		for q, want := range map[*quota.Quota]lease{idle: {spent: 30}, open: {granted: 200}, busy: {spent: 10}} {
			s := l.of(leaseKey{"a", "00000001", id(q), "", "lifetime"})
			if s.spent != want.spent || s.granted-s.spent-s.returned < want.granted {
				t.Errorf("%s has %+v", q.Name, s)
			}
		}
		calls := l.called()
		time.Sleep(9 * time.Second)
		if n := l.called() - calls; n > 9 {
			t.Errorf("%d calls while it waits for others", n)
		}
		l.set(func() { l.denial = 0 })
		time.Sleep(time.Second)
		reserve(t, m, quota.Claim{Quota: busy, Amount: 500}).Release()
		r.Settle([]int64{200})
	})
}

func TestGreets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		run(t, l, "a", newDisk(1))
		calls := l.called()
		if calls != 1 || !l.settledUp() {
			t.Errorf("%d calls at the start, settled up: %v", calls, l.settledUp())
		}
		time.Sleep(10*time.Minute + time.Second)
		if n := l.called() - calls; n != 10 {
			t.Errorf("%d calls in ten minutes", n)
		}
	})
}
