package fleet_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/fleet/fleettest"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// wholeStates answers with everything, whatever it is asked for.
type wholeStates struct{ fleet.Policies }

func (w wholeStates) PolicyState(ctx context.Context, q fleet.PolicyQuery) (policy.State, error) {
	q.Since = 0
	return w.Policies.PolicyState(ctx, q)
}

// logged is an organization in Postgres whose changes wake a handler.
type logged struct {
	b     *testing.B
	log   *pglog.Log
	world *fleettest.World
	head  int64
}

func (l *logged) append(changes ...eventlog.Change) {
	l.b.Helper()
	recorded, err := l.log.Append(l.b.Context(), eventlog.Append{OrganizationID: l.world.State(1).OrganizationID, Head: l.head, Changes: changes, Actor: "operator"})
	if err != nil {
		l.b.Fatal(err)
	}
	l.head += int64(len(recorded))
}

func newKey(i int) eventlog.Change {
	a, b := uuid.New(), uuid.New()
	return eventlog.Change{Subject: uuid.New(), Body: &eventv1.KeyCreated{
		ProjectId: uuid.NewString(), Name: fmt.Sprint("key-", i), Sha256: append(a[:], b[:]...), Suffix: "abcd",
	}}
}

// BenchmarkChange shows, side by side, how long it takes from a committed change of one
// key to the message that an agent has in its hands: when all is read, compiled
// and sent, and when what changed is.
func BenchmarkChange(b *testing.B) {
	for _, keys := range []int{10_000, 100_000} {
		db, url := pgtest.OpenURL(b)
		l := &logged{b: b, log: pglog.New(db, readmodel.Project), world: fleettest.NewWorld()}
		l.append(eventlog.Change{Subject: l.world.State(1).Gateway.ID, Body: &eventv1.GatewayCreated{Name: "prod", Region: "local"}})
		for i := 0; i < keys; i += 1000 {
			var some []eventlog.Change
			for n := range 1000 {
				some = append(some, newKey(i+n))
			}
			l.append(some...)
		}
		analyze(b, url)
		store := readmodel.New(db)
		for name, c := range map[string]struct {
			policies   fleet.Policies
			capability int32
		}{"whole": {wholeStates{store}, 3}, "changes": {store, 4}} {
			b.Run(fmt.Sprintf("%d_keys_%s", keys, name), func(b *testing.B) {
				config := l.world.Config(bubbleURL, slog.New(slog.DiscardHandler))
				config.Policies, config.Releases = c.policies, fleet.NewReleaseTable(db)
				config.Timing.Coalesce = time.Nanosecond
				l.measure(b, config, c.capability)
			})
		}
	}
}

// analyze does autovacuum's work.
func analyze(b *testing.B, url string) {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(b.Context())
	if _, err := conn.Exec(b.Context(), "ANALYZE"); err != nil {
		b.Fatal(err)
	}
}

func (l *logged) measure(b *testing.B, config fleet.Config, capability int32) {
	r := newReplicaOf(config)
	defer func() { r.cut(); r.kill() }()
	a := r.enrol(b).on(r)
	f := &fleettest.Follower{Capability: capability, Trusting: true}
	stream, err := a.client.Watch(b.Context(), a.watchRequest(b, f.Request()))
	if err != nil {
		b.Fatal(err)
	}
	defer stream.Close()
	until := func() {
		for f.Have.GetVersion() < l.head && stream.Receive() {
			if err := f.Take(stream.Msg()); err != nil {
				b.Fatal(err)
			}
		}
	}
	until()
	n := 1_000_000 + int(l.head)
	for b.Loop() {
		n++
		l.append(newKey(n))
		l.world.Wake()
		until()
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/change")
}

// BenchmarkIdleWatcher shows what a watcher with nothing to do allocates per heartbeat.
func BenchmarkIdleWatcher(b *testing.B) {
	world := fleettest.NewWorld()
	config := world.Config(bubbleURL, slog.New(slog.DiscardHandler))
	config.Timing.Heartbeat = time.Microsecond
	r := newReplicaOf(config)
	defer func() { r.cut(); r.kill() }()
	a := r.enrol(b).on(r)
	stream, err := a.client.Watch(b.Context(), a.watchRequest(b, fleettest.NewFollower().Request()))
	if err != nil {
		b.Fatal(err)
	}
	defer stream.Close()
	b.ReportAllocs() // those of the reader, too
	for b.Loop() {
		if !stream.Receive() {
			b.Fatal(stream.Err())
		}
	}
}
