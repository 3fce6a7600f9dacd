package quota_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/quota"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func TestDenials(t *testing.T) {
	for denial, why := range map[agentv1.Grant_Denial]quota.Why{
		agentv1.Grant_DENIAL_EXHAUSTED: quota.Exhausted, agentv1.Grant_DENIAL_HELD: quota.Held,
		agentv1.Grant_DENIAL_RESTORED: quota.Restored, agentv1.Grant_DENIAL_OLD_BOOT: quota.Unreachable,
	} {
		bubble(t, denial.String(), func(t *testing.T) {
			l := newLedger(t)
			l.denial = denial
			q := budget(t, l, hard, 100, time.Hour)
			m := run(t, l, "a", newDisk(1), q)
			refusal := refused(t, m, quota.Claim{Quota: q, Amount: 200})
			if refusal.Why != why {
				t.Errorf("refused as %v", refusal.Why)
			}
			// Of what is held nobody holds any: it stays, too.
			if stays := why == quota.Exhausted || why == quota.Held; refusal.Stays != stays || stays && refusal.RetryAfter < time.Second || refusal.RetryAfter > time.Hour {
				t.Errorf("retry after %v", refusal.RetryAfter)
			}
			calls := l.called()
			for range 20 {
				refused(t, m, quota.Claim{Quota: q, Amount: 200})
			}
			if l.called() > calls {
				t.Errorf("%d calls for what was denied just now", l.called()-calls)
			}
			l.set(func() { l.denial = 0 })
			time.Sleep(2 * time.Second)
			reserve(t, m, quota.Claim{Quota: q, Amount: 10}).Release()
		})
	}
	bubble(t, "a_quota_that_the_ledger_does_not_have_bounds_nothing", func(t *testing.T) {
		l := newLedger(t)
		q := budget(t, l, hard, 100, 0)
		l.set(func() { delete(l.limits, id(q)) })
		m := run(t, l, "a", newDisk(1), q)
		r := reserve(t, m, quota.Claim{Quota: q, Amount: 1_000})
		record := &usagev1.UsageRecord{}
		if record.Charges = r.AppendCharges(nil, nil); len(record.GetCharges()) != 0 {
			t.Errorf("%v", record)
		}
		r.Settle([]int64{5})
		l.set(func() { l.limits[id(q)] = 100 })
		time.Sleep(10 * time.Second)
		refused(t, m, quota.Claim{Quota: q, Amount: 1_000})
	})
}
