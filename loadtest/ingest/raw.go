package ingest

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// raw is what a program would do that has rows in memory and inserts them with the driver,
// one by one into a batch.
type raw struct {
	stage   *stage
	columns string
	lease   int // index of lease_until
	rows    [][]any
}

// newRaw makes a table like usage_event, with all that migrations gave it.
func (s *stage) newRaw(ctx context.Context) (*raw, error) {
	for _, statement := range []string{"DROP TABLE IF EXISTS usage_raw", "CREATE TABLE usage_raw AS usage_event"} {
		if err := s.rows.Exec(ctx, statement); err != nil {
			return nil, err
		}
	}
	var names []string
	err := s.rows.QueryRow(ctx, `SELECT groupArray(name) FROM (SELECT name FROM system.columns
		WHERE database = currentDatabase() AND table = 'usage_raw' AND default_kind NOT IN ('ALIAS', 'MATERIALIZED') ORDER BY position)`).Scan(&names)
	if err != nil {
		return nil, err
	}
	r := &raw{stage: s, lease: slices.Index(names, "lease_until")}
	if r.lease < 0 {
		return nil, fmt.Errorf("usage_event has no lease_until among %v", names)
	}
	r.columns = "`" + strings.Join(names, "`, `") + "`"
	return r, nil
}

// load reads the rows that were inserted last into memory.
func (r *raw) load(ctx context.Context, count int) error {
	rows, err := r.stage.rows.Query(ctx, fmt.Sprintf("SELECT %s FROM usage_event ORDER BY seq DESC LIMIT %d", r.columns, count))
	if err != nil {
		return err
	}
	defer rows.Close()
	r.rows = r.rows[:0]
	for rows.Next() {
		row, err := scanned(rows)
		if err != nil {
			return err
		}
		row[r.lease] = time.Now().Add(time.Hour)
		r.rows = append(r.rows, row)
	}
	return rows.Err()
}

func scanned(rows driver.Rows) ([]any, error) {
	types := rows.ColumnTypes()
	into := make([]any, len(types))
	for i, t := range types {
		into[i] = reflect.New(t.ScanType()).Interface()
	}
	if err := rows.Scan(into...); err != nil {
		return nil, err
	}
	for i := range into {
		into[i] = reflect.ValueOf(into[i]).Elem().Interface()
	}
	return into, nil
}

// turn inserts them, as many at once as ingest does at most.
func (r *raw) turn(ctx context.Context) (of spent, err error) {
	defer oneProcessor()()
	began, err := r.stage.spentBy(ctx, os.Getpid())
	if err != nil {
		return of, err
	}
	for chunk := range slices.Chunk(r.rows, 200_000) {
		prepared, err := r.stage.rows.PrepareBatch(ctx, "INSERT INTO usage_raw ("+r.columns+")")
		if err != nil {
			return of, err
		}
		for _, row := range chunk {
			if err := prepared.Append(row...); err != nil {
				return of, err
			}
		}
		if err := prepared.Send(); err != nil {
			return of, err
		}
	}
	ended, err := r.stage.spentBy(ctx, os.Getpid())
	return spent{ended.own - began.own, ended.clickhouse - began.clickhouse, ended.wall - began.wall}, err
}
