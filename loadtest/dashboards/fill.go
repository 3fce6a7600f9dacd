package dashboards

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
)

const (
	month       = 30 * 24 * time.Hour
	patternRows = 1_000_000
	mergesTake  = 20 * time.Minute
)

//go:embed pattern.sql
var pattern string

// filler puts a month of usage into the server, a slice of time after the other as ingest
// does: rows of a pattern with other times and ids.
type filler struct {
	config Config
	admin  driver.Conn
	report *report
	to     time.Time
	nth    int64
}

func tenant(n int) string { return fmt.Sprintf("0192a000-0000-7000-8000-%012d", n+1) }

func (f *filler) fill(ctx context.Context) error {
	rows := min(f.config.Rows, patternRows)
	err := exec(clickhouse.Context(ctx, clickhouse.WithParameters(clickhouse.Parameters{"rows": fmt.Sprint(rows)})), f.admin,
		"CREATE TABLE pattern AS usage_event ENGINE = Log", pattern)
	if err != nil {
		return err
	}
	without, err := f.withoutRollups(ctx, rows)
	if err != nil {
		return err
	}
	began, with, inserted := time.Now(), time.Duration(0), int64(0)
	for inserted < f.config.Rows {
		n := min(rows, f.config.Rows-inserted)
		width := time.Duration(float64(month) * float64(n) / float64(f.config.Rows))
		from := f.to.Add(-month).Add(time.Duration(float64(month) * float64(inserted) / float64(f.config.Rows)))
		cpu, err := f.insert(ctx, "usage_event", tenant(0), n, from, width)
		if err != nil {
			return err
		}
		with, inserted = with+cpu, inserted+n
		f.report.progress("%d of %d rows", inserted, f.config.Rows)
	}
	for i := 1; i < f.config.Tenants; i++ {
		if _, err := f.insert(ctx, "usage_event", tenant(i), min(rows, max(1, f.config.Rows/1000)), f.to.Add(-month), month); err != nil {
			return err
		}
	}
	if err := exec(ctx, f.admin, "DROP TABLE pattern SYNC"); err != nil {
		return err
	}
	if err := f.settled(ctx); err != nil {
		return err
	}
	return f.report.filled(ctx, f.admin, filled{
		took: time.Since(began), without: without / time.Duration(rows), with: with / time.Duration(inserted),
	})
}

// withoutRollups inserts the same into a table without projections.
func (f *filler) withoutRollups(ctx context.Context, rows int64) (time.Duration, error) {
	var names []string
	err := f.admin.QueryRow(ctx, "SELECT groupArray(name) FROM system.projections WHERE database = currentDatabase() AND table = 'usage_event'").Scan(&names)
	if err != nil {
		return 0, err
	}
	statements := []string{"CREATE TABLE plain AS usage_event"}
	for _, name := range names {
		statements = append(statements, "ALTER TABLE plain DROP PROJECTION "+name)
	}
	if err := exec(ctx, f.admin, statements...); err != nil {
		return 0, err
	}
	cpu, err := f.insert(ctx, "plain", tenant(0), rows, f.to.Add(-month), month/time.Duration(max(1, f.config.Rows/rows)))
	if err != nil {
		return 0, err
	}
	return cpu, exec(ctx, f.admin, "DROP TABLE plain SYNC")
}

// insert returns what it took of ClickHouse's processor time, reading the pattern included.
func (f *filler) insert(ctx context.Context, table, organization string, rows int64, from time.Time, width time.Duration) (cpu time.Duration, err error) {
	id := uuid.NewString()
	f.nth++
	in := clickhouse.Context(ctx, clickhouse.WithQueryID(id), clickhouse.WithSettings(clickhouse.Settings{
		"async_insert": 0, "max_threads": 1, "max_insert_threads": 1, "max_execution_time": 0,
		"max_block_size": 200_000, "min_insert_block_size_rows": 200_000, "min_insert_block_size_bytes": 0,
	}))
	err = exec(in, f.admin, fmt.Sprintf(`INSERT INTO %s SELECT * REPLACE (toUUID('%s') AS organization_id, generateUUIDv4() AS request_id, seq + %d AS seq,
		fromUnixTimestamp64Micro(toInt64(%d + toUnixTimestamp64Micro(started_at) * %g), 'UTC') AS started_at) FROM pattern LIMIT %d`,
		table, organization, f.nth*patternRows, from.UnixMicro(), float64(width.Microseconds())/1e9, rows))
	if err != nil {
		return 0, err
	}
	if err := exec(ctx, f.admin, "SYSTEM FLUSH LOGS query_log"); err != nil {
		return 0, err
	}
	var us uint64
	err = f.admin.QueryRow(ctx, `SELECT sum(ProfileEvents['UserTimeMicroseconds'] + ProfileEvents['SystemTimeMicroseconds'])
		FROM system.query_log WHERE type = 'QueryFinish' AND query_id = {id:String}`, clickhouse.Named("id", id)).Scan(&us)
	return time.Duration(us) * time.Microsecond, err
}

// settled waits until ClickHouse has merged what it wants to.
func (f *filler) settled(ctx context.Context) error {
	for began := time.Now(); time.Since(began) < mergesTake; {
		var merges uint64
		if err := f.admin.QueryRow(ctx, "SELECT count() FROM system.merges WHERE table = 'usage_event'").Scan(&merges); err != nil {
			return err
		}
		if merges == 0 {
			return nil
		}
		f.report.progress("%d merges", merges)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Second):
		}
	}
	return nil
}
