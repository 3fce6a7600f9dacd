package readmodel_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const (
	manyKeys     = 100_000
	manyProjects = 100
)

// large is an organization of 100,000 keys in 100 projects, a tenth of them revoked.
type large struct {
	store    *readmodel.Store
	id       uuid.UUID
	gateway  uuid.UUID
	projects []uuid.UUID
}

func newLarge(b *testing.B, db *postgres.DB) *large {
	b.Helper()
	l := &large{store: readmodel.New(db), id: uuid.New(), gateway: uuid.New()}
	log, head := pglog.New(db, readmodel.Project), int64(0)
	changes, err := gateway.Create(gateway.Creation{ID: l.gateway, Name: "prod", Region: "local"})
	if err != nil {
		b.Fatal(err)
	}
	for range manyProjects {
		l.projects = append(l.projects, uuid.New())
	}
	for i := range manyKeys {
		id, sum := uuid.New(), random()
		changes = append(changes, eventlog.Change{Subject: id, Body: &eventv1.KeyCreated{
			ProjectId: l.projects[i%manyProjects].String(), Name: fmt.Sprintf("key-%06d", i), Sha256: sum[:], Suffix: id.String()[:4],
			Labels: map[string]string{"team": fmt.Sprintf("team-%d", i%1000), "stage": "prod"},
		}})
		if i%10 == 9 {
			changes = append(changes, eventlog.Change{Subject: id, Body: &eventv1.KeyRevoked{Reason: "old"}})
		}
		if len(changes) < 2000 && i < manyKeys-1 {
			continue
		}
		recorded, err := log.Append(b.Context(), eventlog.Append{OrganizationID: l.id, Head: head, Changes: changes, Actor: "operator"})
		if err != nil {
			b.Fatal(err)
		}
		head, changes = head+int64(len(recorded)), nil
	}
	return l
}

// BenchmarkLargeOrganization shows, side by side, how long lists, searches and a
// compile of the policy take with 100,000 keys, and how much memory they hold at most.
func BenchmarkLargeOrganization(b *testing.B) {
	db, url := pgtest.OpenURL(b)
	l := newLarge(b, db)
	if _, err := connect(b, url).Exec(b.Context(), "ANALYZE key"); err != nil { // autovacuum's work
		b.Fatal(err)
	}
	for _, c := range []struct {
		name, filter, order string
		found               int
	}{
		{"list", "", "", 100},
		{"list_newest", "", "created_at desc", 100},
		{"prefix", "name = key-0500*", "", 100},
		{"one_by_name", "name = key-050000", "", 1},
		{"substring", "05000", "", 11},
		{"label", "labels.team = team-77", "", 100},
		{"label_and_project", "labels.team = team-77 AND project_id = " + l.projects[77].String(), "", 100},
		{"project", "project_id = " + l.projects[5].String(), "", 100},
		{"suffix", "suffix = zzzz", "", 0},
		{"nothing_to_find", "zzzz OR labels.team:zzzz", "", 0},
	} {
		b.Run(c.name, func(b *testing.B) {
			l.measure(b, func(v readmodel.View) error { return l.page(b.Context(), v, c.filter, c.order, c.found) })
		})
	}
	b.Run("uses_of_a_route", func(b *testing.B) {
		l.measure(b, func(v readmodel.View) error {
			_, err := readmodel.Keys.Some(b.Context(), v, 20, readmodel.Match{Column: "route_ids", Holds: uuid.New()}, readmodel.Match{Column: "revoked_at"})
			return err
		})
	})
	b.Run("policy_compile", func(b *testing.B) {
		l.measure(b, func(readmodel.View) error {
			state, err := l.store.PolicyState(b.Context(), fleet.PolicyQuery{OrganizationID: l.id, GatewayID: l.gateway})
			if err != nil {
				return err
			}
			resources, err := policy.Compile(state, &policyv1.PriceBook{})
			if err == nil && len(resources) < manyKeys*9/10 {
				err = fmt.Errorf("%d resources", len(resources))
			}
			return err
		})
	})
}

// page asks for the first 100.
func (l *large) page(ctx context.Context, v readmodel.View, filterText, orderBy string, want int) (err error) {
	q := readmodel.Query{Size: 100}
	if q.Filter, err = readmodel.Keys.Fields().Parse(filterText); err != nil {
		return err
	}
	if q.Order, err = readmodel.Keys.Fields().ParseOrder(orderBy); err != nil {
		return err
	}
	found, _, err := readmodel.Keys.List(ctx, v, q)
	if err == nil && len(found) != want {
		err = fmt.Errorf("%d keys, want %d", len(found), want)
	}
	return err
}

// measure reads, and reports the mean time and the most that the heap had.
func (l *large) measure(b *testing.B, read func(readmodel.View) error) {
	b.Helper()
	runtime.GC()
	var most atomic.Uint64
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most.Store(max(most.Load(), m.HeapAlloc))
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	for b.Loop() {
		if err := l.store.Read(b.Context(), l.id, read); err != nil {
			b.Fatal(err)
		}
	}
	close(stop)
	<-done
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/read")
	b.ReportMetric(float64(most.Load())/(1<<20), "heap_MiB_at_most")
}
