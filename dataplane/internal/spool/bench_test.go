package spool_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/dataplane/internal/spool"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func benchLog(b *testing.B) *spool.Log {
	return open(b, spool.Options{Dir: b.TempDir(), MaxBytes: 1 << 40})
}

func BenchmarkStartEnd(b *testing.B) {
	l := benchLog(b)
	s, e := started("0197f1c2-0000-7000-8000-000000000001"), finished("0197f1c2-0000-7000-8000-000000000001")
	b.ReportAllocs()
	for b.Loop() {
		id, err := l.Start(s)
		if err != nil {
			b.Fatal(err)
		}
		if err := l.End(id, e); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkStartEndCharged is the same of a request that comes under five quotas.
func BenchmarkStartEndCharged(b *testing.B) {
	l := benchLog(b)
	s, e := started("0197f1c2-0000-7000-8000-000000000001"), finished("0197f1c2-0000-7000-8000-000000000001")
	for _, window := range []string{"a", "b", "c", "d", "e"} {
		chargingOf(s, window, 100)
		chargingOf(e, window, 10)
	}
	b.ReportAllocs()
	for b.Loop() {
		id, err := l.Start(s)
		if err != nil {
			b.Fatal(err)
		}
		if err := l.End(id, e); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkShipped is a request's whole way through the spool: start, end, into a batch, sent
// and settled. Its CPU time, at -cpu 1, is what the spool takes of an agent.
func BenchmarkShipped(b *testing.B) {
	l := benchLog(b)
	s, e := started("0197f1c2-0000-7000-8000-000000000001"), finished("0197f1c2-0000-7000-8000-000000000001")
	ctx, cancel := context.WithCancel(context.Background())
	shipped := make(chan int64)
	go func() {
		defer close(shipped)
		for {
			batches, err := l.Next(ctx, 1, func(string, []*usagev1.UsageRecord) ([]byte, error) { return make([]byte, 20<<10), nil })
			if err != nil {
				return
			}
			batch := batches[0]
			l.Acked(batch)
			l.Settle([]*agentv1.SettledRange{{Boot: batch.Boot, FirstSeq: batch.First, LastSeq: batch.Last}})
			shipped <- batch.Last
		}
	}()
	b.ReportAllocs()
	written, settled := int64(0), int64(0)
	for b.Loop() {
		id, err := l.Start(s)
		if err == nil {
			err = l.End(id, e)
		}
		if err != nil {
			b.Fatal(err)
		}
		for written++; written > settled+2000; { // as a broker that keeps up
			settled = <-shipped
		}
	}
	cancel()
	for range shipped {
	}
}

// BenchmarkPaced prints how long a Start, an End and both take at 5,000 requests a second
// from 64 callers while fsync runs every 10 ms; and, beside it, two plain writes of as many
// bytes into one file that nobody fsyncs, behind a lock as well.
func BenchmarkPaced(b *testing.B) {
	b.Run("spool", func(b *testing.B) {
		l := benchLog(b)
		paced(b, func(took *timings) error {
			began := time.Now()
			id, err := l.Start(started("0197f1c2-0000-7000-8000-000000000001"))
			mid := time.Now()
			if err == nil {
				err = l.End(id, finished("0197f1c2-0000-7000-8000-000000000001"))
			}
			took.note(began, mid, time.Now())
			return err
		})
	})
	b.Run("plain_writes", func(b *testing.B) {
		f, err := os.Create(filepath.Join(b.TempDir(), "plain"))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		var mu sync.Mutex
		write := func(r *usagev1.UsageRecord) error {
			data, err := proto.Marshal(r)
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			_, err = f.Write(data)
			return err
		}
		paced(b, func(took *timings) error {
			began := time.Now()
			err := write(started("0197f1c2-0000-7000-8000-000000000001"))
			mid := time.Now()
			if err == nil {
				err = write(finished("0197f1c2-0000-7000-8000-000000000001"))
			}
			took.note(began, mid, time.Now())
			return err
		})
	})
}

// timings of one caller.
type timings struct{ start, end, both []time.Duration }

func (t *timings) note(began, mid, ended time.Time) {
	t.start, t.end, t.both = append(t.start, mid.Sub(began)), append(t.end, ended.Sub(mid)), append(t.both, ended.Sub(began))
}

func paced(b *testing.B, request func(*timings) error) {
	const callers, pace = 64, 12800 * time.Microsecond
	var mu sync.Mutex
	var all timings
	var group sync.WaitGroup
	each := max(b.N/callers, 1)
	for caller := range callers {
		group.Go(func() {
			var took timings
			time.Sleep(pace * time.Duration(caller) / callers) // else all of them ask at one time
			tick := time.NewTicker(pace)
			defer tick.Stop()
			for range each {
				<-tick.C
				if err := request(&took); err != nil {
					b.Error(err)
					return
				}
			}
			mu.Lock()
			defer mu.Unlock()
			all.start, all.end, all.both = append(all.start, took.start...), append(all.end, took.end...), append(all.both, took.both...)
		})
	}
	group.Wait()
	for name, took := range map[string][]time.Duration{"start": all.start, "end": all.end, "both": all.both} {
		slices.Sort(took)
		for _, share := range []int{500, 990, 999} {
			b.ReportMetric(float64(took[len(took)*share/1000].Nanoseconds())/1e3, fmt.Sprintf("%s-p%g-µs", name, float64(share)/10))
		}
	}
}
