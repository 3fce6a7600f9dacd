package quota_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/dataplane/internal/quota"
)

func TestAway(t *testing.T) {
	bubble(t, "what_is_leased_is_spent_then_hard_is_unreachable", func(t *testing.T) {
		l := newLedger(t)
		q := budget(t, l, hard, 1_000, 0)
		m := run(t, l, "a", newDisk(1), q)
		reserve(t, m, quota.Claim{Quota: q, Amount: 10}).Settle([]int64{10})
		synctest.Wait()
		l.set(func() { l.before = func() error { return errLost } })
		reserve(t, m, quota.Claim{Quota: q, Amount: 20}).Settle([]int64{20})
		began := time.Now()
		refusal := refused(t, m, quota.Claim{Quota: q, Amount: 500})
		if refusal.Why != quota.Unreachable || !refusal.Why.OurFault() {
			t.Errorf("refused as %v", refusal.Why)
		}
		refused(t, m, quota.Claim{Quota: q, Amount: 500})
		if took := time.Since(began); took > 50*time.Millisecond {
			t.Errorf("two refusals took %v", took)
		}
		if count(t, m, "weir_agent_quota_away") != 1 {
			t.Error("it is not told")
		}
		time.Sleep(time.Minute)
		l.set(func() { l.before = nil })
		time.Sleep(6 * time.Second)
		reserve(t, m, quota.Claim{Quota: q, Amount: 500}).Settle([]int64{500})
	})
	bubble(t, "a_slow_ledger_costs_50_ms_at_most", func(t *testing.T) {
		l := newLedger(t)
		q := budget(t, l, hard, 1_000, 0)
		m := run(t, l, "a", newDisk(1), q)
		l.set(func() { l.before = func() error { time.Sleep(time.Second); return nil } })
		began := time.Now()
		if why := refused(t, m, quota.Claim{Quota: q, Amount: 10}).Why; why != quota.Unreachable || time.Since(began) != 50*time.Millisecond {
			t.Errorf("refused as %v after %v", why, time.Since(began))
		}
		began = time.Now()
		if refused(t, m, quota.Claim{Quota: q, Amount: 10}); time.Since(began) != 0 {
			t.Errorf("the next one waits for %v, too", time.Since(began))
		}
		time.Sleep(2 * time.Second)
		reserve(t, m, quota.Claim{Quota: q, Amount: 10}).Release()
	})
	bubble(t, "others_follow_what_they_are_told", func(t *testing.T) {
		l := newLedger(t)
		l.before = func() error { return errLost }
		serves := budget(t, l, soft, 1_000, 0)
		refuses := budget(t, l, soft, 1_000, 0)
		refuses.RefuseWhenUnreachable = true
		shadows := budget(t, l, shadow, 1_000, 0)
		shadows.RefuseWhenUnreachable = true
		limited, strict := rate(t, l, hard, 3, time.Minute), rate(t, l, hard, 3, time.Minute)
		strict.RefuseWhenUnreachable = true
		m := run(t, l, "a", newDisk(1), serves, refuses, shadows, limited, strict)
		synctest.Wait()
		reserve(t, m, quota.Claim{Quota: serves, Amount: 5}).Settle([]int64{5})
		reserve(t, m, quota.Claim{Quota: shadows, Amount: 5}).Settle([]int64{5})
		for _, q := range []*quota.Quota{refuses, strict} {
			if why := refused(t, m, quota.Claim{Quota: q, Amount: 1}).Why; why != quota.Unreachable {
				t.Errorf("refused as %v", why)
			}
		}
		for range 3 {
			reserve(t, m, quota.Claim{Quota: limited, Amount: 1}).Settle(nil)
		}
		if refusal := refused(t, m, quota.Claim{Quota: limited, Amount: 1}); refusal.Why != quota.Exhausted || refusal.RetryAfter > time.Minute {
			t.Errorf("%v %+v", refusal.Why, refusal)
		}
		l.set(func() { l.before = nil })
		time.Sleep(10 * time.Second)
		if spent, _ := l.sums(id(serves)); spent != 5 {
			t.Errorf("what was served meanwhile is told as %d", spent)
		}
	})
	bubble(t, "a_lost_answer_strands_nothing", func(t *testing.T) {
		l := newLedger(t)
		q := budget(t, l, hard, 100, 0)
		m := run(t, l, "a", newDisk(1), q)
		l.set(func() { l.after = func() error { return errLost } })
		refused(t, m, quota.Claim{Quota: q, Amount: 10})
		if _, held := l.sums(id(q)); held == 0 {
			t.Fatal("the ledger granted nothing")
		}
		l.set(func() { l.after = nil })
		time.Sleep(20 * time.Second)
		if _, held := l.sums(id(q)); held != 0 {
			t.Errorf("%d are held by nobody", held)
		}
	})
}
