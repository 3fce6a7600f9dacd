package quota_test

import (
	"context"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/dataplane/internal/quota"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// five are a request's claims as they mostly are, with all leased that they need.
func five(tb testing.TB) (*quota.Meter, []quota.Claim) {
	tb.Helper()
	l := newLedger(tb)
	l.term, l.whole = maxTerm, true
	const most = int64(1) << 50
	user := budget(tb, l, hard, most, 0)
	claims := []quota.Claim{
		{Quota: budget(tb, l, hard, most, 0), Amount: 1 << 40}, {Quota: budget(tb, l, soft, most, 0), Amount: 1 << 40},
		{Quota: user, Subject: "h1.0123456789ab.0123456789abcdef", Amount: 1 << 40},
		{Quota: rate(tb, l, policyv1.QuotaMode_QUOTA_MODE_HARD, most, maxTerm/1000), Amount: 1}, {Quota: slots(tb, l, hard, most), Amount: 1},
	}
	var all []*quota.Quota
	for i := range claims {
		all = append(all, claims[i].Quota)
	}
	m, err := quota.NewMeter(quota.Config{Client: agent{l, "a"}, Metrics: prometheus.NewRegistry()})
	if err != nil {
		tb.Fatal(err)
	}
	m.Use(all)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = m.Run(ctx, newDisk(1)) }()
	tb.Cleanup(func() { cancel(); <-done })
	for range 3 {
		for {
			r := &quota.Reservation{}
			if m.Reserve(ctx, r, claims) == nil {
				r.Settle([]int64{5, 5, 5, 1, 1})
				break
			}
		}
	}
	return m, claims
}

// BenchmarkReserveSettle is what five quotas take of a request: at most 2 µs.
func BenchmarkReserveSettle(b *testing.B) {
	m, claims := five(b)
	ctx, actual := context.Background(), []int64{5, 5, 5, 1, 1}
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		var r quota.Reservation
		for b.Loop() {
			if refusal := m.Reserve(ctx, &r, claims); refusal != nil {
				b.Fatalf("%+v", refusal)
			}
			r.Settle(actual)
		}
	})
	b.Run("many", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			var r quota.Reservation
			for pb.Next() {
				if refusal := m.Reserve(ctx, &r, claims); refusal != nil {
					b.Errorf("%+v", refusal)
					return
				}
				r.Settle(actual)
			}
		})
	})
}

func TestReserveAllocatesNothing(t *testing.T) {
	m, claims := five(t)
	actual := []int64{5, 5, 5, 1, 1}
	var r quota.Reservation
	refused := 0
	if n := testing.AllocsPerRun(1000, func() {
		if m.Reserve(t.Context(), &r, claims) != nil {
			refused++
		}
		r.Settle(actual)
	}); n > 0 || refused > 0 {
		t.Errorf("%v allocations, %d refused", n, refused)
	}
}
