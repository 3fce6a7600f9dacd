package command

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/postgres"
)

const (
	forgetEvery = time.Hour
	forgetBatch = 1000
	// forgetLock is the advisory lock under which one process at a time forgets.
	forgetLock = 0x77656972_00000003
)

// ForgetAnswers deletes stored answers that are older than age, every hour until
// ctx ends, in small transactions. After that a request id may be used again.
func ForgetAnswers(ctx context.Context, db *postgres.DB, age time.Duration, log *slog.Logger) {
	for {
		forgotten, err := Forget(ctx, db, time.Now().Add(-age))
		switch {
		case err != nil && ctx.Err() == nil:
			log.Error("old answers are not forgotten", "error", err)
		case forgotten > 0:
			log.Info("forgot old answers", "rows", forgotten)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(forgetEvery):
		}
	}
}

// Forget deletes the stored answers of requests before an instant. Processes that
// do it at once share the work.
func Forget(ctx context.Context, db *postgres.DB, before time.Time) (forgotten int64, err error) {
	const forget = `DELETE FROM idempotency WHERE ctid = ANY(ARRAY(
		SELECT ctid FROM idempotency WHERE recorded_at < $1 ORDER BY recorded_at LIMIT $2))`
	for {
		var rows int64
		err := db.System(ctx, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(forgetLock)); err != nil {
				return err
			}
			tag, err := tx.Exec(ctx, forget, before, forgetBatch)
			rows = tag.RowsAffected()
			return err
		})
		if err != nil {
			return forgotten, fmt.Errorf("forget answers: %w", err)
		}
		forgotten += rows
		if rows < forgetBatch {
			return forgotten, nil
		}
	}
}
