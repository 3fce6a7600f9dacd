package readmodel_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// long appends keys, half of them revoked, to a log that keeps no read models.
func long(t testing.TB, db *postgres.DB, events int) (organization uuid.UUID) {
	t.Helper()
	organization = uuid.New()
	log := pglog.New(db)
	project := uuid.New()
	var keys []uuid.UUID
	for head := 0; head < events; {
		var changes []eventlog.Change
		for len(changes) < min(2000, events-head) {
			if len(keys) > 0 && len(changes)%3 == 2 {
				changes = append(changes, eventlog.Change{Subject: keys[0], Body: &eventv1.KeyRevoked{Reason: "old"}})
				keys = keys[1:]
				continue
			}
			id, sum := uuid.New(), random()
			keys = append(keys, id)
			changes = append(changes, eventlog.Change{Subject: id, Body: &eventv1.KeyCreated{
				ProjectId: project.String(), Name: id.String(), Sha256: sum[:], Suffix: "abcd", ExpiresAt: timestamppb.Now(),
			}})
		}
		if _, err := log.Append(t.Context(), eventlog.Append{OrganizationID: organization, Head: int64(head), Changes: changes, Actor: "operator"}); err != nil {
			t.Fatal(err)
		}
		head += len(changes)
	}
	return organization
}

// Readers see the rows from before or those from after, whole, and wait for nobody.
func TestRebuild_serves_readers(t *testing.T) {
	db, url := pgtest.OpenURL(t)
	store := readmodel.New(db)
	organization := long(t, db, 3000)
	rebuild := func() {
		if _, err := store.Rebuild(t.Context(), readmodel.Rebuilding{Organization: organization, Replace: true}); err != nil {
			t.Error(err)
		}
	}
	rebuild()
	execute(t, url, `UPDATE key SET name = id || ' forged', state = '{"name":"forged"}'`)
	total := count(t, url, `SELECT count(*) FROM key WHERE valid_to IS NULL`)

	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	reads, slowest := 0, time.Duration(0)
	wait.Go(func() {
		for ctx.Err() == nil {
			began := time.Now()
			err := store.Read(context.Background(), organization, func(v readmodel.View) error {
				keys, err := readmodel.Keys.All(context.Background(), v)
				forged := 0
				for _, k := range keys {
					if k.Name == "forged" {
						forged++
					}
				}
				if len(keys) != total || forged != 0 && forged != total {
					return fmt.Errorf("%d of %d keys, %d forged", len(keys), total, forged)
				}
				return err
			})
			if err != nil {
				t.Error(err)
				return
			}
			reads++
			slowest = max(slowest, time.Since(began))
		}
	})
	rebuild()
	stop()
	wait.Wait()
	t.Logf("%d reads during the rebuild, the slowest took %s", reads, slowest)
	if reads < 2 {
		t.Error("nobody was served")
	}
	if n := count(t, url, `SELECT count(*) FROM key WHERE name LIKE '%forged'`); n != 0 {
		t.Errorf("left %d damaged rows", n)
	}
}

// A comparison holds nobody up: the log goes on while it runs, and it does not
// take what came meanwhile for a difference.
func TestRebuild_lets_writers_on(t *testing.T) {
	db := pgtest.Open(t)
	s := tell(t, db, "alpha")
	wrote := false
	rebuilt, err := readmodel.New(db).Rebuild(t.Context(), readmodel.Rebuilding{Organization: s.id, Progress: func(int64, int64) {
		s.addKey(uuid.New(), "meanwhile", time.Now())
		wrote = true
	}})
	if err != nil || rebuilt.Count != 0 || !wrote {
		t.Errorf("%+v, %v, wrote: %t", rebuilt, err, wrote)
	}
}

// BenchmarkRebuild holds 20,000 events/s: fold, compare and replace, of a log whose
// read models are all lost.
func BenchmarkRebuild(b *testing.B) {
	const events, target = 20_000, 20_000
	db := pgtest.Open(b)
	store := readmodel.New(db)
	for name, lost := range map[string]bool{"compare_and_replace_all": true, "compare": false} {
		b.Run(name, func(b *testing.B) {
			var spent time.Duration
			for b.Loop() {
				b.StopTimer()
				organization := long(b, db, events)
				if !lost {
					if _, err := store.Rebuild(b.Context(), readmodel.Rebuilding{Organization: organization, Replace: true}); err != nil {
						b.Fatal(err)
					}
				}
				b.StartTimer()
				began := time.Now()
				rebuilt, err := store.Rebuild(b.Context(), readmodel.Rebuilding{Organization: organization, Replace: lost})
				spent += time.Since(began)
				if err != nil || rebuilt.Events != events || (rebuilt.Count > 0) != lost {
					b.Fatalf("%d events, %d differences, %v", rebuilt.Events, rebuilt.Count, err)
				}
			}
			rate := float64(events*b.N) / spent.Seconds()
			b.ReportMetric(rate, "events/s")
			b.ReportMetric(rate/target, "of_target")
		})
	}
}
