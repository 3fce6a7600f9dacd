package pglog_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/logtest"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

// follower reads logs as a subscriber does: woken for a head, it reads on from
// where it was.
type follower struct {
	log  *pglog.Log
	read map[uuid.UUID]int64
}

// follow reads until every log has its goal; what it reads must be the next version.
func (f *follower) follow(ctx context.Context, heads <-chan eventlog.Head, goal map[uuid.UUID]int64) error {
	for reached := 0; reached < len(goal); {
		select {
		case <-ctx.Done():
			return fmt.Errorf("read %v of %v: %w", f.read, goal, ctx.Err())
		case head := <-heads:
			events, err := f.log.Read(ctx, head.OrganizationID, f.read[head.OrganizationID], 10_000)
			if err != nil {
				return err
			}
			for _, e := range events {
				if e.Version != f.read[e.OrganizationID]+1 {
					return fmt.Errorf("version %d came after %d", e.Version, f.read[e.OrganizationID])
				}
				if f.read[e.OrganizationID] = e.Version; e.Version == goal[e.OrganizationID] {
					reached++
				}
			}
			if f.read[head.OrganizationID] < head.Version {
				return fmt.Errorf("woken for version %d, could read up to %d", head.Version, f.read[head.OrganizationID])
			}
		}
	}
	return nil
}

// 16 writers, a quarter of whose appends roll back after they moved the head, beside a
// transaction that stays open from before the first to after the last: a subscriber
// gets every event once, in order, and waits for nobody.
func TestOrder(t *testing.T) {
	const writers, each, organizations = 16, 25, 3
	db := pgtest.Open(t)
	log := pglog.New(db, refuseSome)
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	tailer := eventlog.NewTailer(pglog.NewHeads(db), slog.New(slog.DiscardHandler))
	go tailer.Run(ctx)
	heads, cancel := tailer.Subscribe()
	defer cancel()

	began, release, slow := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := log.AppendWith(ctx, eventlog.Append{OrganizationID: uuid.New(), Changes: []eventlog.Change{logtest.Project("slow")}},
			func(context.Context, pgx.Tx, *pgx.Batch, []eventlog.Event) error { close(began); <-release; return nil })
		slow <- err
	}()
	<-began
	goal := map[uuid.UUID]int64{}
	var ids []uuid.UUID
	for i := range organizations {
		ids = append(ids, uuid.New())
		goal[ids[i]] = int64((writers + organizations - 1 - i) / organizations * each)
	}
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() { write(ctx, t, log, ids[w%organizations], each) })
	}
	follower := &follower{log, map[uuid.UUID]int64{}}
	if err := follower.follow(ctx, heads, goal); err != nil {
		t.Error(err)
	}
	wait.Wait()
	close(release)
	if err := <-slow; err != nil {
		t.Error(err)
	}
	for id, want := range goal {
		if head, err := log.Head(t.Context(), id); head != want || err != nil {
			t.Errorf("head %d, %v; %d appends succeeded", head, err, want)
		}
	}
}

// write appends a number of single events; every fourth attempt is rolled back.
func write(ctx context.Context, t *testing.T, log *pglog.Log, organization uuid.UUID, events int) {
	for i, attempt := 0, 0; i < events && ctx.Err() == nil; attempt++ {
		head, err := log.Head(ctx, organization)
		if err != nil {
			t.Error(err)
			return
		}
		changes := []eventlog.Change{logtest.Project("p")}
		doomed := attempt%4 == 3
		if doomed {
			changes = append(changes, logtest.Project("\x00"))
		}
		_, err = log.Append(ctx, eventlog.Append{OrganizationID: organization, Head: head, Changes: changes})
		switch {
		case err == nil:
			i++
		case doomed && errors.Is(err, errRefused), errors.Is(err, eventlog.ErrStale), ctx.Err() != nil:
		default:
			t.Error(err)
			return
		}
	}
}
