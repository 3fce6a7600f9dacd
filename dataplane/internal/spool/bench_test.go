package spool_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/spool"
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

// BenchmarkStartEndPaced prints latencies of a Start or an End at 4,000 requests
// a second from 64 callers while fsync runs every 10 ms.
func BenchmarkStartEndPaced(b *testing.B) {
	l := benchLog(b)
	const callers, pace = 64, 16 * time.Millisecond
	var mu sync.Mutex
	var all []time.Duration
	var group sync.WaitGroup
	each := max(b.N/callers, 1)
	for range callers {
		group.Go(func() {
			took := make([]time.Duration, 0, 2*each)
			tick := time.NewTicker(pace)
			defer tick.Stop()
			for range each {
				<-tick.C
				began := time.Now()
				id, err := l.Start(started("paced"))
				mid := time.Now()
				if err == nil {
					err = l.End(id, finished("paced"))
				}
				if err != nil {
					b.Error(err)
					return
				}
				took = append(took, mid.Sub(began), time.Since(mid))
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
		})
	}
	group.Wait()
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Nanoseconds())/1e3, "p50-µs")
	b.ReportMetric(float64(all[len(all)*99/100].Nanoseconds())/1e3, "p99-µs")
	b.ReportMetric(float64(all[len(all)*999/1000].Nanoseconds())/1e3, "p99.9-µs")
}
