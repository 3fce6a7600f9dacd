package fleet_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

func TestFollowServer(t *testing.T) {
	db, url := pgtest.OpenURL(t)
	releases := fleet.NewReleaseTable(db)
	organization, gateway := uuid.New(), uuid.New()
	first, err := releases.Publish(t.Context(), draft(organization, gateway, 5, 1))
	if err != nil {
		t.Fatal(err)
	}
	follow := func() fleet.Server {
		t.Helper()
		server, err := fleet.FollowServer(t.Context(), db, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		return server
	}
	epoch := func() int64 {
		t.Helper()
		e, err := releases.Epoch(t.Context(), organization)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	began := follow()
	if began.SystemIdentifier == "" || began.Timeline < 1 || began.Database == "" {
		t.Errorf("%+v", began)
	}
	if again := follow(); again != began || epoch() != first.Epoch {
		t.Errorf("the same server is %+v after %+v, epoch %d after %d", again, began, epoch(), first.Epoch)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, change := range []string{"timeline = timeline + 1", "system_identifier = '1'", "database = '1'"} {
		t.Run(change, func(t *testing.T) {
			before := epoch()
			if _, err := conn.Exec(t.Context(), "UPDATE installation SET "+change); err != nil {
				t.Fatal(err)
			}
			follow()
			raised := epoch()
			if raised <= before {
				t.Errorf("epoch %d after %d", raised, before)
			}
			if restored := restoredEpoch(t, db, organization); restored != raised {
				t.Errorf("epoch %d is said to be of a restore, %d is", restored, raised)
			}
			follow()
			if epoch() != raised {
				t.Error("raised twice for one change")
			}
			again, err := releases.Publish(t.Context(), draft(organization, gateway, 5, 1))
			if err != nil || again.Epoch != raised {
				t.Errorf("the same content is released in epoch %d, want %d, %v", again.Epoch, raised, err)
			}
		})
	}
}

// A standby that takes over while a process runs has lost nothing, where Postgres is said to
// replicate synchronously: agents follow, and the ledger waits for nobody.
func TestWatchServer(t *testing.T) {
	cases := []struct {
		name        string
		synchronous bool
		change      string
		restored    bool
	}{
		{"synchronous_takeover", true, "timeline = timeline - 1", false},
		{"another_takeover", false, "timeline = timeline - 1", true},
		{"an_earlier_timeline", true, "timeline = timeline + 1", true},
		{"another_system", true, "timeline = timeline - 1, system_identifier = '1'", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // each waits for the second look
			db, url := pgtest.OpenURL(t)
			organization := uuid.New()
			first, err := fleet.NewReleaseTable(db).Publish(t.Context(), draft(organization, uuid.New(), 5, 1))
			if err != nil {
				t.Fatal(err)
			}
			log := slog.New(slog.DiscardHandler)
			began, err := fleet.FollowServer(t.Context(), db, log)
			if err != nil {
				t.Fatal(err)
			}
			changed := make(chan error, 1)
			go func() {
				time.Sleep(time.Second)
				changed <- execute(t.Context(), url, "UPDATE installation SET "+c.change)
			}()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			watched := make(chan error, 1)
			go func() { watched <- fleet.WatchServer(ctx, db, began, c.synchronous, log) }()
			var epoch int64
			for epoch <= first.Epoch && ctx.Err() == nil {
				if epoch, err = fleet.NewReleaseTable(db).Epoch(ctx, organization); err != nil {
					t.Fatal(err)
				}
				time.Sleep(100 * time.Millisecond)
			}
			if restored := restoredEpoch(t, db, organization); epoch <= first.Epoch || (restored != 0) != c.restored {
				t.Errorf("epoch %d after %d, restored %d", epoch, first.Epoch, restored)
			}
			cancel()
			<-watched
			if err := <-changed; err != nil {
				t.Error(err)
			}
		})
	}
}

func execute(ctx context.Context, url, sql string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

// restoredEpoch is the last that rose because something may have been lost; 0: none did.
func restoredEpoch(t *testing.T, db *postgres.DB, organization uuid.UUID) (epoch int64) {
	t.Helper()
	err := db.InOrganization(t.Context(), organization, func(tx pgx.Tx) error {
		const query = `SELECT restored_epoch FROM policy_epoch WHERE organization_id = $1 AND (restored_epoch > 0) = (restored_at IS NOT NULL)`
		return tx.QueryRow(t.Context(), query, organization).Scan(&epoch)
	})
	if err != nil {
		t.Fatal(err)
	}
	return epoch
}
