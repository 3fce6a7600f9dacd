package dashboards

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/weirhq/weir/deploy/local/engine"
)

var ranges = []struct {
	name string
	long time.Duration
}{{"1 h", time.Hour}, {"24 h", 24 * time.Hour}, {"7 d", 7 * 24 * time.Hour}, {"30 d", 30 * 24 * time.Hour}}

// measured is one query over one range.
type measured struct {
	Query, Range string
	P50MS, P95MS float64
	// CPUMS is ClickHouse's own, of the median run.
	CPUMS float64
	// Rows and Bytes that were read, MemoryBytes at the peak, of the dearest run.
	Rows, Bytes, MemoryBytes int64
	// Rollups says that nothing was read of the rows themselves.
	Rollups bool
	Failed  string `json:",omitempty"`
}

// limits are those of controlplane/internal/report, settings.go there; readonly comes last.
func limits(organization string) clickhouse.Settings {
	return clickhouse.Settings{
		"readonly": 1, "log_comment": organization, "use_query_cache": 0, "use_query_condition_cache": 0,
		"max_execution_time": 60, "max_memory_usage": 1 << 30, "max_rows_to_read": 0, "max_result_bytes": 64 << 20, "result_overflow_mode": "throw",
		"max_block_size": 8192, "max_threads": 2, "send_logs_level": "none",
	}
}

func measure(ctx context.Context, c Config, server engine.ClickHouse, admin driver.Conn, queries []query, to time.Time, r *report) error {
	conn, err := connect(server.ReportURL, "weir")
	if err != nil {
		return err
	}
	defer conn.Close()
	r.head()
	for _, q := range queries {
		for _, span := range ranges {
			if !q.ranged && span.long != ranges[0].long {
				continue
			}
			asked, err := q.asked(to.Add(-span.long), to)
			if err != nil {
				return err
			}
			m, err := measureOne(ctx, c, conn, admin, q, asked)
			if err != nil {
				return fmt.Errorf("%s over %s: %w", q.name, span.name, err)
			}
			if m.Range = span.name; !q.ranged {
				m.Range = "newest"
			}
			r.add(m)
		}
	}
	return r.end()
}

// measureOne runs a query once to warm caches, and then so often as is asked for. One that
// fails, in time or memory, is a result.
func measureOne(ctx context.Context, c Config, conn, admin driver.Conn, q query, asked map[string]string) (measured, error) {
	m := measured{Query: q.name}
	ids := make([]string, 0, c.Runs)
	var took []time.Duration
	for i := range c.Runs + 1 {
		id := tenant(0) + "." + uuid.NewString()
		began := time.Now()
		if err := drain(ctx, conn, id, q.sql, asked); err != nil {
			if ctx.Err() != nil {
				return m, ctx.Err()
			}
			m.Failed = err.Error()
			return m, nil
		}
		if i > 0 {
			ids, took = append(ids, id), append(took, time.Since(began))
		}
	}
	slices.Sort(took)
	m.P50MS, m.P95MS = milliseconds(percentile(took, 50)), milliseconds(percentile(took, 95))
	if err := exec(ctx, admin, "SYSTEM FLUSH LOGS query_log"); err != nil {
		return m, err
	}
	err := admin.QueryRow(ctx, `SELECT toInt64(max(read_rows)), toInt64(max(read_bytes)), toInt64(max(memory_usage)),
			quantile(0.5)(ProfileEvents['UserTimeMicroseconds'] + ProfileEvents['SystemTimeMicroseconds']) / 1000
		FROM system.query_log WHERE type = 'QueryFinish' AND query_id IN ('`+strings.Join(ids, "', '")+`')`).Scan(&m.Rows, &m.Bytes, &m.MemoryBytes, &m.CPUMS)
	if err != nil {
		return m, fmt.Errorf("query log: %w", err)
	}
	m.Rollups, err = fromRollups(ctx, admin, q.sql, asked)
	return m, err
}

func drain(ctx context.Context, conn driver.Conn, id, sql string, asked map[string]string) error {
	rows, err := conn.Query(clickhouse.Context(ctx, clickhouse.WithQueryID(id), clickhouse.WithSettings(limits(tenant(0))),
		clickhouse.WithParameters(asked)), sql)
	if err != nil {
		return err
	}
	for rows.Next() { // what they hold is of no interest
	}
	if err := rows.Err(); err != nil {
		_ = rows.Close()
		return err
	}
	return rows.Close()
}

// percentile by the nearest rank.
func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[min(len(sorted)-1, (len(sorted)*p+99)/100-1)]
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
