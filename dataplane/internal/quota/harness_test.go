package quota_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/dataplane/internal/quota"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const (
	hard   = policyv1.QuotaMode_QUOTA_MODE_HARD
	soft   = policyv1.QuotaMode_QUOTA_MODE_SOFT
	shadow = policyv1.QuotaMode_QUOTA_MODE_SHADOW
)

var quotas int

// budget is a quota of an amount that the ledger knows.
func budget(t testing.TB, l *ledger, mode policyv1.QuotaMode, limit int64, window time.Duration) *quota.Quota {
	t.Helper()
	return compiled(t, l, limit, window, &policyv1.Quota{Measure: policyv1.QuotaMeasure_QUOTA_MEASURE_COST, Mode: mode})
}

// rate is a limit of requests.
func rate(t testing.TB, l *ledger, mode policyv1.QuotaMode, limit int64, window time.Duration) *quota.Quota {
	t.Helper()
	return compiled(t, l, limit, 0, &policyv1.Quota{
		Measure: policyv1.QuotaMeasure_QUOTA_MEASURE_REQUESTS, Mode: mode, Amount: limit, WindowMs: window.Milliseconds(),
	})
}

func slots(t testing.TB, l *ledger, mode policyv1.QuotaMode, limit int64) *quota.Quota {
	t.Helper()
	return compiled(t, l, limit, 0, &policyv1.Quota{
		Measure: policyv1.QuotaMeasure_QUOTA_MEASURE_CONCURRENT_REQUESTS, Mode: mode, Amount: limit,
	})
}

func compiled(t testing.TB, l *ledger, limit int64, window time.Duration, p *policyv1.Quota) *quota.Quota {
	t.Helper()
	quotas++
	p.Id, p.Name = uuid.NewSHA1(uuid.Nil, []byte(fmt.Sprint(quotas))).String(), fmt.Sprintf("quota-%d", quotas)
	q, err := quota.FromPolicy(p)
	if err != nil {
		t.Fatal(err)
	}
	l.set(func() {
		l.limits[p.GetId()], l.length[p.GetId()] = limit, window
		l.soft[p.GetId()] = p.GetMode() != hard
	})
	return q
}

func id(q *quota.Quota) string { return uuid.UUID(q.ID).String() }

func uuidOf(id []byte) string { return uuid.UUID(id).String() }

// running is a meter whose loop runs until the test ends, or stop.
type running struct {
	*quota.Meter
	registry *prometheus.Registry
	stop     func()
}

func run(t testing.TB, l *ledger, name string, d *disk, quotas ...*quota.Quota) *running {
	t.Helper()
	registry := prometheus.NewRegistry()
	m, err := quota.NewMeter(quota.Config{Client: agent{l, name}, Metrics: registry})
	if err != nil {
		t.Fatal(err)
	}
	m.Use(quotas)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := m.Run(ctx, d); err != nil {
			t.Error(err)
		}
	}()
	r := &running{Meter: m, registry: registry, stop: func() { cancel(); <-done }}
	t.Cleanup(r.stop)
	synctest.Wait() // it listens
	return r
}

func claim(q *quota.Quota, amount int64) []quota.Claim {
	return []quota.Claim{{Quota: q, Amount: amount}}
}

func reserve(t testing.TB, m *running, claims ...quota.Claim) *quota.Reservation {
	t.Helper()
	r := &quota.Reservation{}
	if refusal := m.Reserve(t.Context(), r, claims); refusal != nil {
		t.Fatalf("refused: %+v", refusal)
	}
	return r
}

func refused(t testing.TB, m *running, claims ...quota.Claim) *quota.Refusal {
	t.Helper()
	r := &quota.Reservation{}
	refusal := m.Reserve(t.Context(), r, claims)
	if refusal == nil {
		t.Fatal("it is served")
	}
	if r.Len() != 0 {
		t.Error("a refused request has reservations")
	}
	return refusal
}

func count(t testing.TB, m *running, name string) float64 {
	t.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, s := range f.GetMetric() {
			sum += s.GetCounter().GetValue() + s.GetGauge().GetValue() + float64(s.GetHistogram().GetSampleCount())
		}
	}
	return sum
}

func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// leftOf is what callers are told is left of a limit.
func leftOf(t *testing.T, m *running, q *quota.Quota) int64 {
	t.Helper()
	s, known := m.Standing(q, "")
	if !known {
		t.Fatal("nothing is known of it")
	}
	return s.Left
}
