package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// ErrServerChanged says that another Postgres server, or another timeline of its
// history, took over: what a process remembers may never have been.
var ErrServerChanged = errors.New("postgres was restored or failed over")

// serverCheck is how often a running process looks which server it works with.
const serverCheck = 5 * time.Second

// Server is who keeps the database: the same while nothing committed can be lost.
type Server struct {
	SystemIdentifier string
	Timeline         int64
	// Database is its object id: one that was dropped and made again has another.
	Database string
}

// FollowServer notes who serves the database. Where that is not who did the last
// time, it raises the epoch of every organization: the database may be older than
// what agents hold, and they follow a higher epoch only; the ledger of quotas waits for
// them by it. Call it before the first agent is answered.
func FollowServer(ctx context.Context, db *postgres.DB, log *slog.Logger) (Server, error) {
	var now, was Server
	err := db.System(ctx, func(tx pgx.Tx) (err error) {
		if now, err = currentServer(ctx, tx); err != nil {
			return err
		}
		was, err = notedServer(ctx, tx)
		if err != nil || was == now {
			return err
		}
		if was != (Server{}) {
			err = raiseAllEpochs(ctx, tx)
		}
		return errors.Join(err, noteServer(ctx, tx, now))
	})
	if err != nil {
		return Server{}, fmt.Errorf("look who serves postgres: %w", err)
	}
	if was != now && was != (Server{}) {
		log.Warn("postgres was restored or failed over; every policy epoch is raised, so that agents follow",
			"was_system", was.SystemIdentifier, "was_timeline", was.Timeline, "system", now.SystemIdentifier, "timeline", now.Timeline)
	}
	return now, nil
}

// WatchServer returns ErrServerChanged when another server takes over, nil when
// ctx ends. Epochs are raised then, and the process has to start anew.
func WatchServer(ctx context.Context, db *postgres.DB, began Server, log *slog.Logger) error {
	for sleep(ctx, serverCheck) {
		now, err := FollowServer(ctx, db, log)
		if err != nil {
			continue // Postgres is away; everything that needs it says so
		}
		if now != began {
			return ErrServerChanged
		}
	}
	return nil
}

func currentServer(ctx context.Context, tx pgx.Tx) (s Server, err error) {
	// A WAL file's name begins with the timeline; pg_control_checkpoint would show it
	// only after a checkpoint.
	const query = `SELECT (SELECT system_identifier::text FROM pg_control_system()),
			('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint, oid::text
		FROM pg_database WHERE datname = current_database()`
	return s, tx.QueryRow(ctx, query).Scan(&s.SystemIdentifier, &s.Timeline, &s.Database)
}

// notedServer holds the note until the transaction ends; the zero Server: none.
func notedServer(ctx context.Context, tx pgx.Tx) (s Server, err error) {
	const query = `SELECT system_identifier, timeline, database FROM installation FOR UPDATE`
	err = tx.QueryRow(ctx, query).Scan(&s.SystemIdentifier, &s.Timeline, &s.Database)
	if errors.Is(err, pgx.ErrNoRows) {
		return Server{}, nil
	}
	return s, err
}

func noteServer(ctx context.Context, tx pgx.Tx, s Server) error {
	const note = `INSERT INTO installation (system_identifier, timeline, database) VALUES ($1, $2, $3)
		ON CONFLICT (one) DO UPDATE SET system_identifier = $1, timeline = $2, database = $3`
	_, err := tx.Exec(ctx, note, s.SystemIdentifier, s.Timeline, s.Database)
	return err
}

func raiseAllEpochs(ctx context.Context, tx pgx.Tx) error {
	const raise = `UPDATE policy_epoch SET epoch = greatest(epoch + 1, $1), restored_epoch = greatest(epoch + 1, $1), restored_at = clock_timestamp()`
	_, err := tx.Exec(ctx, raise, time.Now().Unix())
	return err
}
