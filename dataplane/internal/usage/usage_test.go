package usage_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/dataplane/internal/spool"
	"github.com/weirhq/weir/dataplane/internal/usage"
	"github.com/weirhq/weir/proto/contract/batch"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

const agentID = "0197f1c2-0000-7000-8000-000000000001"

var key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

func publicKey(*usagev1.BatchHeader) (ed25519.PublicKey, error) {
	return key.Public().(ed25519.PublicKey), nil
}

// flaky fails as often as told, keeping what it was given.
type flaky struct {
	mu       sync.Mutex
	failures int
	values   [][]byte
}

func (f *flaky) Send(_ context.Context, messages []usage.Message) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range messages {
		f.values = append(f.values, m.Value)
	}
	if f.failures > 0 {
		f.failures--
		return 0, errors.New("no broker")
	}
	return len(messages), nil
}

func (f *flaky) sent() [][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([][]byte(nil), f.values...)
}

func openSpool(t testing.TB) *spool.Log {
	t.Helper()
	l, err := spool.Open(spool.Options{Dir: t.TempDir(), Linger: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(context.Background()) })
	return l
}

func requests(t testing.TB, l *spool.Log, from, count int) {
	t.Helper()
	for i := from; i < from+count; i++ {
		id, err := l.Start(&usagev1.UsageRecord{RequestId: fmt.Sprint(i)})
		if err != nil {
			t.Fatal(err)
		}
		if err := l.End(id, &usagev1.UsageRecord{RequestId: fmt.Sprint(i), Outcome: usagev1.Outcome_OUTCOME_OK}); err != nil {
			t.Fatal(err)
		}
	}
}

// run ships until the returned function is called, which waits for the flush.
func run(t testing.TB, o usage.Options) (stop func()) {
	t.Helper()
	o.AgentID, o.Key = agentID, key
	s, err := usage.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

// checkComplete demands seq 1..count of one boot, each once, repeats identical.
func checkComplete(t testing.TB, values [][]byte, count int64) {
	t.Helper()
	seen, next := map[string]bool{}, int64(1)
	for _, value := range values {
		header, _, err := batch.Open(value, publicKey)
		if err != nil {
			t.Fatal(err)
		}
		if seen[string(value)] {
			continue
		}
		seen[string(value)] = true
		if header.GetFirstSeq() != next {
			t.Fatalf("batch %d..%d where %d is next", header.GetFirstSeq(), header.GetLastSeq(), next)
		}
		next = header.GetLastSeq() + 1
	}
	if next != count+1 {
		t.Fatalf("%d records arrived, want %d", next-1, count)
	}
}

func gather(t testing.TB, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		all[f.GetName()] = f.GetMetric()[0].GetCounter().GetValue() + f.GetMetric()[0].GetGauge().GetValue()
	}
	return all
}

func TestShipper(t *testing.T) {
	t.Run("retries_the_same_bytes_until_they_are_taken", func(t *testing.T) {
		l, sender, registry := openSpool(t), &flaky{failures: 3}, prometheus.NewRegistry()
		metrics, err := usage.NewMetrics(registry, l.Stats)
		if err != nil {
			t.Fatal(err)
		}
		requests(t, l, 0, 10)
		stop := run(t, usage.Options{Source: l, Sender: sender, Metrics: metrics, MaxBackoff: time.Millisecond})
		eventually(t, "4 sends", func() bool { return len(sender.sent()) == 4 })
		stop()
		for _, value := range sender.sent() {
			if !bytes.Equal(value, sender.sent()[0]) {
				t.Error("a retry has other bytes")
			}
		}
		checkComplete(t, sender.sent(), 10)
		got := gather(t, registry)
		for name, want := range map[string]float64{
			"weir_agent_usage_batches_sent_total": 1, "weir_agent_usage_records_sent_total": 10,
			"weir_agent_usage_send_failures_total": 3, "weir_agent_spool_records": 10, "weir_agent_spool_open_requests": 0,
		} {
			if got[name] != want {
				t.Errorf("%s is %v, want %v", name, got[name], want)
			}
		}
	})
	t.Run("flushes_on_shutdown", func(t *testing.T) {
		l, err := spool.Open(spool.Options{Dir: t.TempDir(), Linger: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close(context.Background())
		sender := &flaky{}
		stop := run(t, usage.Options{Source: l, Sender: sender})
		requests(t, l, 0, 1234)
		stop()
		checkComplete(t, sender.sent(), 1234)
	})
	t.Run("a_shutdown_without_a_broker_ends_in_time_and_keeps_all", func(t *testing.T) {
		l, down := openSpool(t), &flaky{failures: 1 << 30}
		stop := run(t, usage.Options{Source: l, Sender: down, FlushWithin: 50 * time.Millisecond})
		requests(t, l, 0, 10)
		began := time.Now()
		stop()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		up := &flaky{}
		run(t, usage.Options{Source: l, Sender: up})()
		checkComplete(t, up.sent(), 10)
	})
	t.Run("names_what_is_missing", func(t *testing.T) {
		if _, err := usage.New(usage.Options{AgentID: agentID}); err == nil {
			t.Error("no error")
		}
	})
}

// What is held stays open in the spool, through a stop too: another agent may ship it.
func TestHeldUsageIsNotClosed(t *testing.T) {
	l, broker := openSpool(t), &flaky{}
	requests(t, l, 1, 3)
	var held atomic.Bool
	held.Store(true)
	asked := make(chan struct{}, 100)
	o := usage.Options{Source: l, Sender: broker, Hold: func() bool { asked <- struct{}{}; return held.Load() }}
	stop := run(t, o)
	<-asked
	<-asked // and again
	stop()
	if sent := broker.sent(); len(sent) != 0 {
		t.Errorf("%d batches were sent", len(sent))
	}
	held.Store(false)
	run(t, o)
	eventually(t, "all is sent", func() bool { return len(broker.sent()) == 1 })
	checkComplete(t, broker.sent(), 3)
}

// The spool counts under the lock that requests take.
func TestSpoolIsAskedOnceForAScrape(t *testing.T) {
	registry, asked := prometheus.NewRegistry(), 0
	if _, err := usage.NewMetrics(registry, func() spool.Stats { asked++; return spool.Stats{Bytes: 7, Released: 3} }); err != nil {
		t.Fatal(err)
	}
	if all := gather(t, registry); all["weir_agent_spool_bytes"] != 7 || all["weir_agent_spool_released_records_total"] != 3 || asked != 1 {
		t.Errorf("%v, asked %d times", all, asked)
	}
}
