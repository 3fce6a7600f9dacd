package quota_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/dataplane/internal/quota"
)

func TestPolicies(t *testing.T) {
	bubble(t, "what_stays_keeps_what_was_spent_what_goes_is_closed", func(t *testing.T) {
		l := newLedger(t)
		stays, goes := budget(t, l, hard, 100, 0), budget(t, l, hard, 100, 0)
		m := run(t, l, "a", newDisk(1), stays, goes)
		r := reserve(t, m, quota.Claim{Quota: stays, Amount: 60}, quota.Claim{Quota: goes, Amount: 60})
		again := *stays
		m.Use([]*quota.Quota{&again})
		refused(t, m, quota.Claim{Quota: &again, Amount: 50})
		reserve(t, m, quota.Claim{Quota: goes, Amount: 500}).Settle(nil) // under the policy before
		time.Sleep(5 * time.Second)
		if _, held := l.sums(id(goes)); held != 60 {
			t.Errorf("%d held for a request that goes on", held)
		}
		r.Settle([]int64{50, 50})
		time.Sleep(5 * time.Second)
		if spent, held := l.sums(id(goes)); spent != 50 || held != 0 {
			t.Errorf("%d spent, %d held", spent, held)
		}
		if got := count(t, m, "weir_agent_quota_accounts"); got != 1 {
			t.Errorf("%v accounts", got)
		}
	})
	bubble(t, "what_comes_back_before_it_is_closed_goes_on", func(t *testing.T) {
		l := newLedger(t)
		q := budget(t, l, hard, 100, 0)
		m := run(t, l, "a", newDisk(1), q)
		r := reserve(t, m, quota.Claim{Quota: q, Amount: 60})
		m.Use(nil)
		time.Sleep(time.Second)
		m.Use([]*quota.Quota{q})
		reserve(t, m, quota.Claim{Quota: q, Amount: 40}).Settle([]int64{40})
		refused(t, m, quota.Claim{Quota: q, Amount: 1})
		r.Settle([]int64{60})
		time.Sleep(3 * time.Second)
		if spent, held := l.sums(id(q)); spent != 100 || held != 0 {
			t.Errorf("%d spent, %d held", spent, held)
		}
	})
}

func TestCrowded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		q, s := budget(t, l, hard, 100, 0), budget(t, l, soft, 100, 0)
		registry := prometheus.NewRegistry()
		meter, err := quota.NewMeter(quota.Config{Client: agent{l, "a"}, Metrics: registry, MaxAccounts: 3})
		if err != nil {
			t.Fatal(err)
		}
		m := &running{Meter: meter, registry: registry}
		m.Use([]*quota.Quota{q, s})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { _ = m.Run(ctx, newDisk(1)) }()
		synctest.Wait()
		for i := range 3 {
			reserve(t, m, quota.Claim{Quota: q, Subject: fmt.Sprint(i), Amount: 10})
		}
		if why := refused(t, m, quota.Claim{Quota: q, Subject: "more", Amount: 10}).Why; why != quota.Crowded || !why.OurFault() {
			t.Errorf("refused as %v", why)
		}
		reserve(t, m, quota.Claim{Quota: s, Subject: "more", Amount: 10}).Settle(nil)
		if count(t, m, "weir_agent_quota_uncounted_total") != 1 {
			t.Error("it is not told")
		}
	})
}
