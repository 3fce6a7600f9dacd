package pglog_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/logtest"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

// BenchmarkAppend holds 1,000 commits/s over 1,000 organizations and a 99th
// percentile under 40 ms, with every commit flushed to disk.
func BenchmarkAppend(b *testing.B) {
	const organizations, writers, perSecond, slowest = 1000, 16, 1000, 40 * time.Millisecond
	db := pgtest.Open(b)
	var fsync, synchronous string
	err := db.SystemRead(b.Context(), func(tx pgx.Tx) error {
		return tx.QueryRow(b.Context(), `SELECT current_setting('fsync'), current_setting('synchronous_commit')`).Scan(&fsync, &synchronous)
	})
	if err != nil {
		b.Fatal(err)
	}
	log := pglog.New(db)
	ids := make([]uuid.UUID, organizations)
	heads := make([]int64, organizations)
	free := make(chan int, organizations)
	for i := range ids {
		ids[i] = uuid.New()
		free <- i
	}
	append1 := func() time.Duration {
		i := <-free
		defer func() { free <- i }()
		began := time.Now()
		_, err := log.Append(b.Context(), eventlog.Append{
			OrganizationID: ids[i], Head: heads[i], Changes: []eventlog.Change{logtest.Project("p")}, Actor: "operator",
		})
		if err != nil {
			b.Error(err)
		}
		heads[i]++
		return time.Since(began)
	}
	for range organizations {
		append1()
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	took := make([][]time.Duration, writers)
	b.ResetTimer()
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() {
			for left.Add(-1) >= 0 {
				took[w] = append(took[w], append1())
			}
		})
	}
	wait.Wait()
	all := slices.Concat(took...)
	slices.Sort(all)
	rate, p99 := float64(len(all))/b.Elapsed().Seconds(), all[len(all)*99/100]
	b.ReportMetric(rate, "commits/s")
	b.ReportMetric(rate/perSecond, "of_target")
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50_ms")
	b.ReportMetric(float64(p99.Microseconds())/1000, "p99_ms")
	b.ReportMetric(float64(p99)/float64(slowest), "p99_of_limit")
	b.Logf("fsync %s, synchronous_commit %s", fsync, synchronous)
}
