package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
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

// tookOver tells whether a standby took over from the server that is was, with all that was in
// its log up to an address, in bytes, that a process saw there.
func (s Server) tookOver(was Server, at, seen int64) bool {
	return s.SystemIdentifier == was.SystemIdentifier && s.Database == was.Database && s.Timeline > was.Timeline && at >= seen
}

// FollowServer notes who serves the database. Where that is not who did the last
// time, it raises the epoch of every organization: the database may be older than
// what agents hold, and they follow a higher epoch only; the ledger of quotas waits for
// them by it. Call it before the first agent is answered.
func FollowServer(ctx context.Context, db *postgres.DB, log *slog.Logger) (Server, error) {
	now, _, err := follow(ctx, db, log, func(Server, Server, int64) bool { return true })
	return now, err
}

// follow is FollowServer; mayHaveLost says whether the one that serves now, at an address of
// its log, may lack what the one before had. It returns the address, too.
func follow(ctx context.Context, db *postgres.DB, log *slog.Logger, mayHaveLost func(was, now Server, at int64) bool) (now Server, at int64, err error) {
	var was Server
	lost := true
	err = db.System(ctx, func(tx pgx.Tx) (err error) {
		if now, at, err = currentServer(ctx, tx); err != nil {
			return err
		}
		was, err = notedServer(ctx, tx)
		if err != nil || was == now {
			return err
		}
		if was != (Server{}) {
			lost = mayHaveLost(was, now, at)
			err = raiseAllEpochs(ctx, tx, lost)
		}
		return errors.Join(err, noteServer(ctx, tx, now))
	})
	if err != nil {
		return Server{}, 0, fmt.Errorf("look who serves postgres: %w", err)
	}
	if was != now && was != (Server{}) {
		log.Warn("postgres was restored or failed over; every policy epoch is raised, so that agents follow", "may_have_lost", lost,
			"was_system", was.SystemIdentifier, "was_timeline", was.Timeline, "system", now.SystemIdentifier, "timeline", now.Timeline)
	}
	return now, at, nil
}

// WatchServer returns ErrServerChanged when another server takes over, nil when
// ctx ends. Epochs are raised then, and the process has to start anew. synchronous: a standby
// that takes over has all that was committed, and the ledger of quotas need not wait for agents.
// See docs/decisions/022.
func WatchServer(ctx context.Context, db *postgres.DB, began Server, synchronous bool, log *slog.Logger) error {
	seen := int64(math.MaxInt64) // nothing yet: whatever comes may lack something
	check := func() bool {
		now, at, err := follow(ctx, db, log, func(was, now Server, at int64) bool {
			return !synchronous || !now.tookOver(was, at, seen)
		})
		if err != nil {
			return true // Postgres is away; everything that needs it says so
		}
		if now == began {
			seen = at
		}
		return now == began
	}
	for check() {
		if !sleep(ctx, serverCheck) {
			return nil
		}
	}
	return ErrServerChanged
}

// currentServer returns how many bytes its log has, too.
func currentServer(ctx context.Context, tx pgx.Tx) (s Server, at int64, err error) {
	// A WAL file's name begins with the timeline; pg_control_checkpoint would show it
	// only after a checkpoint.
	const query = `SELECT (SELECT system_identifier::text FROM pg_control_system()),
			('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint, oid::text, (pg_current_wal_lsn() - '0/0')::bigint
		FROM pg_database WHERE datname = current_database()`
	err = tx.QueryRow(ctx, query).Scan(&s.SystemIdentifier, &s.Timeline, &s.Database, &at)
	return s, at, err
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

// raiseAllEpochs tells the ledger of quotas, too, where something may be lost.
func raiseAllEpochs(ctx context.Context, tx pgx.Tx, lost bool) error {
	const raise = `UPDATE policy_epoch SET epoch = greatest(epoch + 1, $1), restored_epoch = CASE WHEN $2 THEN greatest(epoch + 1, $1) ELSE restored_epoch END,
		restored_at = CASE WHEN $2 THEN clock_timestamp() ELSE restored_at END`
	_, err := tx.Exec(ctx, raise, time.Now().Unix(), lost)
	return err
}
