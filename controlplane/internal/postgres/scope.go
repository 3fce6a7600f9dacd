package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// idle is the status of a connection that is in no transaction.
const idle = 'I'

var (
	errUnsupported = errors.New("not possible in a transaction of package postgres")
	errEnded       = errors.New("the transaction was finished")
)

// step is a statement that goes ahead of others.
type step struct {
	sql  string
	args []any
}

// scope is a connection whose statements go out together with what must come
// ahead of them: one round trip for both. Statements of one pipeline are one
// transaction for Postgres, also without BEGIN.
type scope struct {
	conn  *pgx.Conn
	ahead []step
	// always repeats ahead with every statement; otherwise it goes with the first.
	always bool
	// broken says why the transaction did not begin; then nothing may run outside.
	broken error
	// ended says that it was committed by Finish.
	ended bool
}

var _ pgx.Tx = (*scope)(nil)

// send puts batch behind what goes ahead of it; the results are those of batch.
func (s *scope) send(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	whole := &pgx.Batch{}
	for _, first := range s.ahead {
		whole.Queue(first.sql, first.args...)
	}
	whole.QueuedQueries = append(whole.QueuedQueries, batch.QueuedQueries...)
	results := s.conn.SendBatch(ctx, whole)
	for range s.ahead {
		if _, err := results.Exec(); err != nil { // results keep it for whoever reads on
			if !s.always {
				s.broken = err
			}
			return results
		}
	}
	if !s.always {
		s.ahead = nil
	}
	return results
}

func (s *scope) sendOne(ctx context.Context, sql string, args []any) pgx.BatchResults {
	batch := &pgx.Batch{}
	batch.Queue(sql, args...)
	return s.send(ctx, batch)
}

// Exec implements pgx.Tx.
func (s *scope) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if s.broken != nil {
		return pgconn.CommandTag{}, s.broken
	}
	if len(s.ahead) == 0 {
		return s.conn.Exec(ctx, sql, args...)
	}
	results := s.sendOne(ctx, sql, args)
	tag, err := results.Exec()
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	return tag, err
}

// Query implements pgx.Tx.
func (s *scope) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if s.broken != nil {
		return pgx.FailedBatchResults(&pgx.Batch{}, s.broken).Query()
	}
	if len(s.ahead) == 0 {
		return s.conn.Query(ctx, sql, args...)
	}
	results := s.sendOne(ctx, sql, args)
	rows, err := results.Query()
	if err != nil {
		_ = results.Close() // the same error
		return rows, err
	}
	return &firstRows{Rows: rows, results: results}, nil
}

// QueryRow implements pgx.Tx.
func (s *scope) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	rows, err := s.Query(ctx, sql, args...)
	return oneRow{rows: rows, err: err}
}

// SendBatch implements pgx.Tx.
func (s *scope) SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults {
	if s.broken != nil {
		return pgx.FailedBatchResults(batch, s.broken)
	}
	if len(s.ahead) == 0 {
		return s.conn.SendBatch(ctx, batch)
	}
	return s.send(ctx, batch)
}

// CopyFrom implements pgx.Tx.
func (s *scope) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error) {
	if err := s.start(ctx); err != nil {
		return 0, err
	}
	return s.conn.CopyFrom(ctx, table, columns, rows)
}

// start begins the transaction for what can't be pipelined.
func (s *scope) start(ctx context.Context) error {
	if s.always {
		return errUnsupported
	}
	if s.broken != nil || len(s.ahead) == 0 {
		return s.broken
	}
	return s.send(ctx, &pgx.Batch{}).Close()
}

// Prepare implements pgx.Tx.
func (s *scope) Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error) {
	return s.conn.Prepare(ctx, name, sql)
}

// Conn implements pgx.Tx. What is sent on it directly sees a transaction only
// after a first statement of the scope.
func (s *scope) Conn() *pgx.Conn { return s.conn }

// Begin implements pgx.Tx: there are no savepoints.
func (*scope) Begin(context.Context) (pgx.Tx, error) { return nil, errUnsupported }

// Commit implements pgx.Tx: the function's end is the transaction's.
func (*scope) Commit(context.Context) error { return errUnsupported }

// Rollback implements pgx.Tx: return an error to roll back.
func (*scope) Rollback(context.Context) error { return errUnsupported }

// LargeObjects implements pgx.Tx; Weir has none, and the answer can't be used.
func (*scope) LargeObjects() pgx.LargeObjects { return pgx.LargeObjects{} }
