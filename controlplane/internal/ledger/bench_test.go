package ledger

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// BenchmarkLease holds 2,000 calls/s over 1,000 organizations, and 500/s on one, with every
// grant flushed to disk. Each call settles and renews two leases.
func BenchmarkLease(b *testing.B) {
	for _, c := range []struct{ organizations, agents, callers, perSecond int }{{1000, 1, 64, 2000}, {1, 200, 64, 500}} {
		b.Run(fmt.Sprintf("organizations=%d", c.organizations), func(b *testing.B) {
			w := inPostgres(b)
			w.ledger.now, w.store.(*table).now = time.Now, nil
			callers := make(chan *renewing, c.organizations*c.agents)
			for range c.organizations {
				organization := uuid.New()
				quotas := []uuid.UUID{w.budget(organization, settings(1e15, hard)), w.budget(organization, settings(1e15, hard))}
				for range c.agents {
					callers <- &renewing{Agent: gateway.Agent{ID: uuid.New(), OrganizationID: organization}, quotas: quotas}
				}
			}
			for range cap(callers) {
				one := <-callers
				one.renew(b, w)
				callers <- one
			}
			took := make([][]time.Duration, c.callers)
			var left atomic.Int64
			left.Store(int64(b.N))
			counted := &counting{store: w.store}
			w.ledger.store = counted
			used := w.postgresCPU()
			b.ResetTimer()
			var wait sync.WaitGroup
			for i := range took {
				wait.Go(func() {
					for left.Add(-1) >= 0 {
						one := <-callers
						began := time.Now()
						one.renew(b, w)
						took[i] = append(took[i], time.Since(began))
						callers <- one
					}
				})
			}
			wait.Wait()
			b.StopTimer()
			used = w.postgresCPU() - used
			all := slices.Concat(took...)
			slices.Sort(all)
			rate := float64(len(all)) / b.Elapsed().Seconds()
			b.ReportMetric(rate, "calls/s")
			b.ReportMetric(rate/float64(c.perSecond), "of_target")
			b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50_ms")
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99_ms")
			b.ReportMetric(float64(len(all))/float64(counted.n.Load()), "calls/transaction")
			b.ReportMetric(float64(used.Microseconds())/float64(len(all)), "postgres_us/call")
		})
	}
}

// postgresCPU is the processor time that the backends of the world's connections used; 0
// where Postgres is not on Linux.
func (w *world) postgresCPU() (used time.Duration) {
	w.t.Helper()
	conn, err := pgx.Connect(context.Background(), w.url)
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close(context.Background())
	err = conn.QueryRow(context.Background(), `SELECT coalesce(sum(split_part(pg_read_file('/proc/' || pid || '/schedstat', true), ' ', 1)::bigint), 0)
		FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`).Scan(&used)
	if err != nil {
		w.t.Fatal(err)
	}
	return used
}

// renewing is an agent that spends all it gets.
type renewing struct {
	gateway.Agent
	quotas []uuid.UUID
	grants []*agentv1.Grant
}

func (r *renewing) renew(b *testing.B, w *world) {
	request := &agentv1.LeaseRequest{Boot: boot(1)}
	for i, quota := range r.quotas {
		h := want(quota, 1000)
		if r.grants != nil {
			h = after(quota, r.grants[i], r.grants[i].GetGranted())
			h.Want = 1000
		}
		request.Holdings = append(request.Holdings, h)
	}
	answer, err := w.ledger.Lease(context.Background(), r.Agent, request)
	if err != nil {
		b.Error(err)
		return
	}
	r.grants = answer.GetGrants()
	if r.grants[0].GetDenial() != 0 {
		b.Error(r.grants[0])
	}
}

// counting counts transactions.
type counting struct {
	store
	n atomic.Int64
}

func (c *counting) transact(ctx context.Context, organization uuid.UUID, fn func(tx) error) error {
	c.n.Add(1)
	return c.store.transact(ctx, organization, fn)
}
