package report

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/filter"
)

const (
	// commitTime is how long after its lease a row that was let in may become visible.
	commitTime = 10 * time.Second
	// maxArrivals are kept in mind: those of a lease and commitTime.
	maxArrivals = 200_000
	// fetchedAtOnce is how many new requests one statement asks for.
	fetchedAtOnce = 1000
	maxTails      = 100 // of this process
	maxEachTails  = 10  // of one organization
)

// arrivalsSQL asks for what may have come since a time of the server.
const arrivalsSQL = `SELECT request_id, started_at, stored_by
FROM arrivals
WHERE stored_by > {since:DateTime('UTC')}
LIMIT {most:UInt32}`

// Tail follows the requests of one organization: each is told once, after the tail
// began, however late it came. The server refuses rows whose lease is over, so that of
// leases that ended commitTime ago nothing can come any more; what came of younger ones
// is kept in mind (docs/decisions/019).
type Tail struct {
	reports *Reports
	filter  filter.Filter
	// told are requests whose lease ended after settled, with that end.
	told    map[uuid.UUID]time.Time
	settled time.Time
	leave   func()
}

// Tail begins now; Close must follow. An organization has 10 at once at most.
func (r *Reports) Tail(ctx context.Context, f filter.Filter) (*Tail, error) {
	organization, err := organizationOf(ctx)
	if err != nil {
		return nil, err
	}
	leave, ok := r.tails.Enter(organization)
	if !ok {
		return nil, fault.Because(fault.Exhausted, "too_many_tails", "%d tails of the organization are open, or %d in all: close one", maxEachTails, maxTails)
	}
	t := &Tail{reports: r, filter: f, told: map[uuid.UUID]time.Time{}, leave: leave}
	if _, err := t.arrived(ctx); err != nil {
		leave()
		return nil, err
	}
	return t, nil
}

// Close frees its place.
func (t *Tail) Close() { t.leave() }

// Settled is the time of the server before which everything that came was told.
func (t *Tail) Settled() time.Time { return t.settled }

// Next returns what came since the last call, in the order of its beginning. It waits for
// a place among the queries of the organization.
func (t *Tail) Next(ctx context.Context) ([]Request, error) {
	news, err := t.arrived(ctx)
	if err != nil {
		return nil, err
	}
	var out []Request
	for part := range slices.Chunk(news, fetchedAtOnce) {
		found, err := t.fetch(ctx, part)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// arrival is a request that is visible.
type arrival struct {
	id        uuid.UUID
	startedAt time.Time
	storedBy  time.Time
}

// arrived returns what was not there before, in the order of its beginning.
func (t *Tail) arrived(ctx context.Context) ([]arrival, error) {
	ctx, leave, err := t.reports.await(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	var now time.Time
	if err := t.reports.each(ctx, "SELECT now('UTC')", nil, func(rows driver.Rows) error { return rows.Scan(&now) }); err != nil {
		return nil, err
	}
	if t.settled.IsZero() {
		t.settled = now.Add(-commitTime)
	}
	var all []arrival
	parameters := clickhouse.Parameters{"since": t.settled.UTC().Format(time.DateTime), "most": strconv.Itoa(maxArrivals + 1)}
	err = t.reports.each(ctx, arrivalsSQL, parameters, func(rows driver.Rows) error {
		var a arrival
		err := rows.Scan(&a.id, &a.startedAt, &a.storedBy)
		all = append(all, a)
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(all) > maxArrivals {
		return nil, fault.Because(fault.Exhausted, "too_much_to_follow", "more than %d requests came within seconds: ask ReportService.ListRequests instead", maxArrivals)
	}
	return t.remember(all, now.Add(-commitTime)), nil
}

// remember returns what is new, and forgets what is settled by now.
func (t *Tail) remember(all []arrival, settled time.Time) (news []arrival) {
	for _, a := range all {
		if _, ok := t.told[a.id]; !ok {
			t.told[a.id], news = a.storedBy, append(news, a)
		}
	}
	t.settled = settled
	for id, storedBy := range t.told {
		if !storedBy.After(settled) {
			delete(t.told, id)
		}
	}
	slices.SortFunc(news, func(a, b arrival) int {
		return cmp.Or(a.startedAt.Compare(b.startedAt), slices.Compare(a.id[:], b.id[:]))
	})
	return news
}

// fetchSQL asks for requests by id that the filter is true of.
func (t *Tail) fetchSQL(statement filter.Statement) string {
	return `SELECT` + requestColumns + `
FROM requests
WHERE started_at >= {from:DateTime64(6, 'UTC')} AND started_at <= {to:DateTime64(6, 'UTC')} AND request_id IN {ids:Array(UUID)}
  AND ` + t.filter.SQL(statement) + `
ORDER BY started_at, request_id`
}

func (t *Tail) fetch(ctx context.Context, part []arrival) (out []Request, err error) {
	ctx, leave, err := t.reports.await(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	ids := make([]any, len(part))
	for i, a := range part {
		ids[i] = a.id.String()
	}
	list, err := nested(ids)
	if err != nil {
		return nil, err
	}
	statement := &filter.ClickHouse{}
	sql := t.fetchSQL(statement)
	parameters := clickhouse.Parameters{"from": parameterTime(part[0].startedAt), "to": parameterTime(part[len(part)-1].startedAt), "ids": list}
	addParameters(parameters, statement.Parameters)
	err = t.reports.each(ctx, sql, parameters, func(rows driver.Rows) error {
		one, err := scanRequest(rows, nil)
		out = append(out, one)
		return err
	})
	return out, err
}
