package pglog_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/logtest"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

var errRefused = errors.New("a part refuses")

// refuseSome rolls back appends that logtest marks, after the head has moved.
func refuseSome(_ context.Context, _ pgx.Tx, _ *pgx.Batch, recorded []eventlog.Event) error {
	if len(recorded) == 2 && slices.Contains(recorded[1].Payload, '\\') {
		return errRefused
	}
	return nil
}

func TestLog(t *testing.T) {
	db := pgtest.Open(t)
	logtest.Run(t, func(*testing.T) eventlog.Log { return pglog.New(db, refuseSome) })
}

func TestPartsCommitWithTheEvents(t *testing.T) {
	db := pgtest.Open(t)
	log := pglog.New(db)
	organization := uuid.New()
	a := eventlog.Append{OrganizationID: organization, Changes: []eventlog.Change{logtest.Project("a")}}
	breaking := func(_ context.Context, _ pgx.Tx, batch *pgx.Batch, _ []eventlog.Event) error {
		batch.Queue("SELECT 1/0")
		return nil
	}
	if _, err := log.AppendWith(t.Context(), a, breaking); err == nil {
		t.Fatal("appended with a broken part")
	}
	if head, err := log.Head(t.Context(), organization); head != 0 || err != nil {
		t.Errorf("head %d, %v", head, err)
	}
}

func TestEventsStay(t *testing.T) {
	db := pgtest.Open(t)
	log := pglog.New(db)
	organization := uuid.New()
	if _, err := log.Append(t.Context(), eventlog.Append{OrganizationID: organization, Changes: []eventlog.Change{logtest.Project("a")}}); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"DELETE FROM event", "UPDATE event SET actor = ''", "TRUNCATE event"} {
		err := db.InOrganization(t.Context(), organization, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), statement)
			return err
		})
		if err == nil {
			t.Errorf("%s succeeded", statement)
		}
	}
}

// A subscriber hears of a commit soon, also of one whose transaction began long
// before others that committed first.
func TestTail(t *testing.T) {
	db := pgtest.Open(t)
	log := pglog.New(db)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	tailer := eventlog.NewTailer(pglog.NewHeads(db), slog.New(slog.DiscardHandler))
	done := make(chan struct{})
	go func() { tailer.Run(ctx); close(done) }()
	heads, cancel := tailer.Subscribe()
	defer cancel()

	slow, quick := uuid.New(), uuid.New()
	began, release := make(chan struct{}), make(chan struct{})
	slowDone := make(chan error)
	go func() {
		_, err := log.AppendWith(ctx, eventlog.Append{OrganizationID: slow, Changes: []eventlog.Change{logtest.Project("a")}},
			func(context.Context, pgx.Tx, *pgx.Batch, []eventlog.Event) error {
				close(began)
				<-release
				return nil
			})
		slowDone <- err
	}()
	<-began
	for version := range int64(3) {
		_, err := log.Append(ctx, eventlog.Append{OrganizationID: quick, Head: version, Changes: []eventlog.Change{logtest.Project("b")}})
		if err != nil {
			t.Fatal(err)
		}
	}
	expect(t, heads, eventlog.Head{OrganizationID: quick, Version: 3})
	close(release)
	if err := <-slowDone; err != nil {
		t.Fatal(err)
	}
	expect(t, heads, eventlog.Head{OrganizationID: slow, Version: 1})
	stop()
	<-done
}

// expect waits for a head; earlier ones of the same organization may come before it.
func expect(t *testing.T, heads <-chan eventlog.Head, want eventlog.Head) {
	t.Helper()
	deadline := time.After(5 * time.Second) // half a sweep: the cursor must find it
	for {
		select {
		case got := <-heads:
			if got == want {
				return
			}
			if got.OrganizationID != want.OrganizationID {
				t.Fatalf("woken for %v, want %v", got, want)
			}
		case <-deadline:
			t.Fatalf("not woken for %v", want)
		}
	}
}
