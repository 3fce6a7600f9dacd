package chaos

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
)

// books are what Weir recorded, as the organizations' analysts see it.
type books struct {
	rows   []row
	boots  []boot
	spends []spend
}

// row is one record of a request. Money is in nano-dollars.
type row struct {
	tenant            *tenant
	run, request      string
	agent, boot       string
	seq               int64
	outcome, code     string
	status            uint16
	priced, estimated bool
	nano              int64
	attempts          int64
}

func (r row) where() string { return fmt.Sprintf("agent %s boot %s seq %d", r.agent, r.boot, r.seq) }

// boot is a line of completeness.
type boot struct {
	tenant                                     *tenant
	agent, boot                                string
	last, settled, missing, holes, doubled     int64
	rows, doubledRows, deadLettered, ofRevoked int64
	closed, complete                           bool
	dense, numbered, highest                   int64 // by the rows themselves
}

// spend is an organization's total by each way to it.
type spend struct {
	tenant                                          *tenant
	byDay, byRow, byAttempt                         int64 // nano-dollars
	requestsByDay, requestsByRow                    int64
	attemptsByDay, attemptsByRow, attemptsByAttempt int64
}

// analyst asks ClickHouse as the report user does: what is seen follows from the query's id.
type analyst struct{ conn driver.Conn }

func newAnalyst(url string) (*analyst, error) {
	options, err := clickhouse.ParseDSN(url)
	if err != nil {
		return nil, err
	}
	conn, err := clickhouse.Open(options)
	return &analyst{conn}, err
}

func (a *analyst) query(ctx context.Context, t *tenant, sql string, row func(driver.Rows) error) error {
	rows, err := a.conn.Query(clickhouse.Context(ctx,
		clickhouse.WithQueryID(t.id+"."+uuid.NewString()),
		clickhouse.WithSettings(clickhouse.Settings{"readonly": 1, "use_query_cache": 0, "use_query_condition_cache": 0}),
	), sql)
	if err != nil {
		return fmt.Errorf("%s: %w", t.name, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return rows.Err()
}

// read takes all that is there.
func (a *analyst) read(ctx context.Context, tenants []*tenant) (*books, error) {
	b := &books{}
	for _, t := range tenants {
		for _, read := range []func(context.Context, *tenant, *books) error{a.requests, a.completeness, a.spent} {
			if err := read(ctx, t, b); err != nil {
				return nil, err
			}
		}
	}
	return b, nil
}

func (a *analyst) requests(ctx context.Context, t *tenant, b *books) error {
	const sql = `SELECT r.run_id, toString(r.request_id), toString(r.agent_id), r.boot, r.seq, r.outcome, r.error_code, r.status,
		isNotNull(r.cost_usd), r.estimated, toInt64(ifNull(r.cost_usd, 0) * 1000000000), toInt64(r.attempts) FROM requests AS r`
	return a.query(ctx, t, sql, func(rows driver.Rows) error {
		r := row{tenant: t}
		var priced uint8
		err := rows.Scan(&r.run, &r.request, &r.agent, &r.boot, &r.seq, &r.outcome, &r.code, &r.status, &priced, &r.estimated, &r.nano, &r.attempts)
		r.priced = priced == 1
		b.rows = append(b.rows, r)
		return err
	})
}

func (a *analyst) completeness(ctx context.Context, t *tenant, b *books) error {
	const sql = `SELECT toString(c.agent_id), c.boot, toInt64(last_seq), toInt64(settled), toInt64(missing_tail), toInt64(holes), toInt64(doubled_ranges),
		toInt64(c.rows), toInt64(doubled_rows), toInt64(dead_lettered), toInt64(of_revoked_agent), closed, complete,
		toInt64(r.dense), toInt64(r.numbered), r.highest
		FROM completeness AS c LEFT JOIN (
			SELECT boot, uniqExact(seq) AS dense, count() AS numbered, max(seq) AS highest FROM requests GROUP BY boot
		) AS r ON r.boot = c.boot ORDER BY c.agent_id, c.boot`
	return a.query(ctx, t, sql, func(rows driver.Rows) error {
		one := boot{tenant: t}
		err := rows.Scan(&one.agent, &one.boot, &one.last, &one.settled, &one.missing, &one.holes, &one.doubled, &one.rows, &one.doubledRows,
			&one.deadLettered, &one.ofRevoked, &one.closed, &one.complete, &one.dense, &one.numbered, &one.highest)
		b.boots = append(b.boots, one)
		return err
	})
}

func (a *analyst) spent(ctx context.Context, t *tenant, b *books) error {
	const sql = `SELECT d.*, r.*, a.* FROM
		(SELECT toInt64(sum(cost_usd) * 1000000000), toInt64(sum(requests)), toInt64(sum(attempts)) FROM spend_daily) AS d,
		(SELECT toInt64(sum(priced_cost_usd) * 1000000000), toInt64(count()), toInt64(sum(attempts)) FROM requests) AS r,
		(SELECT toInt64(sum(ifNull(cost_usd, 0)) * 1000000000), toInt64(count()) FROM attempts) AS a`
	return a.query(ctx, t, sql, func(rows driver.Rows) error {
		s := spend{tenant: t}
		err := rows.Scan(&s.byDay, &s.requestsByDay, &s.attemptsByDay, &s.byRow, &s.requestsByRow, &s.attemptsByRow, &s.byAttempt, &s.attemptsByAttempt)
		b.spends = append(b.spends, s)
		return err
	})
}

func (b *books) summary(asks []*ask) string {
	var nano int64
	for _, r := range b.rows {
		nano += r.nano
	}
	return fmt.Sprintf("%d requests were sent; %d records of %d starts of agents, $%d.%09d", len(asks), len(b.rows), len(b.boots), nano/1e9, nano%1e9)
}
