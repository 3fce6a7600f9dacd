package budget

import (
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
)

// books are what the organization's analysts see.
type books struct {
	costs    []charge // sums, by key and provider
	attempts int64
	unpriced int64
	// incomplete are boots of agents of which something is on its way.
	incomplete int64
}

// analyst asks ClickHouse as the report user does: what is seen follows from the query's id.
type analyst struct {
	conn   driver.Conn
	tenant *tenant
}

func newAnalyst(w *world, t *tenant) (*analyst, error) {
	options, err := clickhouse.ParseDSN(w.clickhouse.ReportURL)
	if err != nil {
		return nil, err
	}
	conn, err := clickhouse.Open(options)
	return &analyst{conn, t}, err
}

func (a *analyst) query(ctx context.Context, sql string, row func(driver.Rows) error, values ...any) error {
	rows, err := a.conn.Query(clickhouse.Context(ctx,
		clickhouse.WithQueryID(a.tenant.id+"."+uuid.NewString()),
		clickhouse.WithSettings(clickhouse.Settings{"readonly": 1, "use_query_cache": 0, "use_query_condition_cache": 0}),
	), sql, values...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (a *analyst) read(ctx context.Context) (*books, error) {
	b := &books{}
	costs := `SELECT toString(key_id), provider, toInt64(sum(ifNull(cost_usd, 0)) * 1000000000), toInt64(count()), toInt64(countIf(isNull(cost_usd)))
		FROM attempts GROUP BY key_id, provider`
	err := a.query(ctx, costs, func(rows driver.Rows) error {
		var key string
		var c charge
		var attempts, unpriced int64
		if err := rows.Scan(&key, &c.provider, &c.nano, &attempts, &unpriced); err != nil {
			return err
		}
		if c.key = slices.Index(a.tenant.keyIDs, key); c.key < 0 {
			return fmt.Errorf("a row of the key %s", key)
		}
		b.costs, b.attempts, b.unpriced = append(b.costs, c), b.attempts+attempts, b.unpriced+unpriced
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("costs: %w", err)
	}
	err = a.query(ctx, `SELECT toInt64(countIf(NOT complete)) FROM completeness`, func(rows driver.Rows) error { return rows.Scan(&b.incomplete) })
	if err != nil {
		return nil, fmt.Errorf("completeness: %w", err)
	}
	return b, nil
}

// cost of a budget, by subject.
func (b *books) cost(p *purse) map[string]int64 {
	all := map[string]int64{}
	for _, c := range b.costs {
		if subject, counts := p.counts(c); counts {
			all[subject] += c.nano
		}
	}
	return all
}
