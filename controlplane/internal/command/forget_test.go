package command_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

// Of 2,500 old and 10 young answers of two organizations the old ones go, once,
// though three processes forget at the same time.
func TestForget(t *testing.T) {
	db := pgtest.Open(t)
	now := time.Now()
	for organization, old := range map[uuid.UUID]int{uuid.New(): 1500, uuid.New(): 1000} {
		err := db.InOrganization(t.Context(), organization, func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), `INSERT INTO idempotency (organization_id, actor, request_id, procedure, request_sha256, response, recorded_at)
				SELECT $1, 'a', n::text, 'p', sha256(''), '{}', $2::timestamptz - CASE WHEN n <= $3 THEN interval '31 days' ELSE interval '29 days' END
				FROM generate_series(1, $3::int + 5) n`, organization, now, old)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var wait sync.WaitGroup
	var forgotten atomic.Int64
	for range 3 {
		wait.Go(func() {
			rows, err := command.Forget(t.Context(), db, now.AddDate(0, 0, -30))
			forgotten.Add(rows)
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if forgotten.Load() != 2500 {
		t.Errorf("forgot %d", forgotten.Load())
	}
	err := db.SystemRead(t.Context(), func(tx pgx.Tx) error {
		var left int
		err := tx.QueryRow(t.Context(), `SELECT count(*) FROM idempotency`).Scan(&left)
		if left != 10 {
			return fmt.Errorf("left %d, %w", left, err)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
