package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// rollbackTimeout bounds the undoing of a transaction whose caller is gone.
const rollbackTimeout = 5 * time.Second

// What goes ahead of statements. The role is said again, lest a connection on which
// somebody changed it serves the next transaction. The organization is a parameter:
// all organizations share one prepared statement.
const (
	begin         = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
	beginSnapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
	beginScratch  = "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE"
	enter         = "SELECT set_config('role', 'weir_app', true), set_config('weir.organization_id', $1, true)"
	enterAll      = "SELECT set_config('role', 'weir_system', true)"
	onlyRead      = "SELECT set_config('transaction_read_only', 'on', true), "
	enterToRead   = onlyRead + "set_config('role', 'weir_app', true), set_config('weir.organization_id', $1, true)"
	enterAllRead  = onlyRead + "set_config('role', 'weir_system', true)"
)

// InOrganization runs fn in one READ COMMITTED transaction that sees the rows of
// this organization only; it commits when fn returns nil. The beginning travels
// with the first statement.
func (db *DB) InOrganization(ctx context.Context, organization uuid.UUID, fn func(pgx.Tx) error) error {
	return transact(ctx, db.app, fn, step{sql: begin}, step{enter, []any{organization.String()}})
}

// InOrganizationWith is InOrganization whose beginning evaluates more: expressions of SQL, such
// as a lock or settings of the transaction, in their order, $1 being the organization's id as a
// text. They take no statement of their own.
func (db *DB) InOrganizationWith(ctx context.Context, organization uuid.UUID, expressions string, fn func(pgx.Tx) error) error {
	return transact(ctx, db.app, fn, step{sql: begin}, step{enter + ", " + expressions, []any{organization.String()}})
}

// Snapshot is InOrganization for reading only, all of it at one instant
// (REPEATABLE READ).
func (db *DB) Snapshot(ctx context.Context, organization uuid.UUID, fn func(pgx.Tx) error) error {
	return transact(ctx, db.app, fn, step{sql: beginSnapshot}, step{enter, []any{organization.String()}})
}

// Scratch is Snapshot for work that needs temporary tables. A write of anything that
// changed since is refused by Postgres.
func (db *DB) Scratch(ctx context.Context, organization uuid.UUID, fn func(pgx.Tx) error) error {
	return transact(ctx, db.app, fn, step{sql: beginScratch}, step{enter, []any{organization.String()}})
}

// Read is for what needs no single instant and writes nothing: each statement
// (or batch) of fn is a read-only transaction of its own in this organization, and
// costs the one round trip that it would cost without.
func (db *DB) Read(ctx context.Context, organization uuid.UUID, fn func(pgx.Tx) error) error {
	return read(ctx, db.app, fn, step{enterToRead, []any{organization.String()}})
}

// System runs fn in one transaction that sees every organization. Whoever calls
// it or the two below stands in the list in docs/tenancy.md.
func (db *DB) System(ctx context.Context, fn func(pgx.Tx) error) error {
	return transact(ctx, db.system, fn, step{sql: begin}, step{sql: enterAll})
}

// SystemSnapshot is System for reading only, all of it at one instant.
func (db *DB) SystemSnapshot(ctx context.Context, fn func(pgx.Tx) error) error {
	return transact(ctx, db.system, fn, step{sql: beginSnapshot}, step{sql: enterAll})
}

// SystemRead is Read over every organization.
func (db *DB) SystemRead(ctx context.Context, fn func(pgx.Tx) error) error {
	return read(ctx, db.system, fn, step{sql: enterAllRead})
}

// transact leaves a connection that is still in a transaction, after a panic too,
// to the pool, which closes it.
func transact(ctx context.Context, pool *pgxpool.Pool, fn func(pgx.Tx) error, ahead ...step) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect to postgres: %w", err)
	}
	defer conn.Release()
	tx := &scope{conn: conn.Conn(), ahead: ahead}
	if err := fn(tx); err != nil {
		tx.undo(ctx)
		return err
	}
	return tx.finish(ctx)
}

func read(ctx context.Context, pool *pgxpool.Pool, fn func(pgx.Tx) error, ahead ...step) error {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect to postgres: %w", err)
	}
	defer conn.Release()
	return fn(&scope{conn: conn.Conn(), ahead: ahead, always: true})
}

// Finish sends a transaction's last statements and its commit in one round trip. It
// is the last thing that the transaction's function does; where it returns an error
// nothing was committed, unless the connection was lost meanwhile.
func Finish(ctx context.Context, tx pgx.Tx, last *pgx.Batch) error {
	s, ok := tx.(*scope)
	if !ok || s.always {
		return tx.SendBatch(ctx, last).Close()
	}
	whole := &pgx.Batch{QueuedQueries: last.QueuedQueries[:len(last.QueuedQueries):len(last.QueuedQueries)]}
	whole.Queue("COMMIT")
	if err := s.SendBatch(ctx, whole).Close(); err != nil {
		return err
	}
	s.ended, s.broken = true, errEnded
	return nil
}

func (s *scope) undo(ctx context.Context) {
	if s.conn.PgConn().TxStatus() == idle {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackTimeout)
	defer cancel()
	_, _ = s.conn.Exec(ctx, "ROLLBACK") // where it fails the pool closes the connection
}

func (s *scope) finish(ctx context.Context) error {
	if s.ended {
		return nil
	}
	if s.broken != nil {
		return s.broken
	}
	if s.conn.PgConn().TxStatus() == idle && len(s.ahead) > 0 {
		return nil // nothing was said
	}
	tag, err := s.conn.Exec(ctx, "COMMIT")
	if err != nil {
		s.undo(ctx)
		return fmt.Errorf("commit: %w", err)
	}
	if tag.String() == "ROLLBACK" {
		return fmt.Errorf("commit: %w", pgx.ErrTxCommitRollback)
	}
	return nil
}
