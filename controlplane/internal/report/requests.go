package report

import (
	"context"
	"strconv"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/filter"
)

// List asks for requests.
type List struct {
	// Filter and Order are of RequestFields.
	Filter filter.Filter
	Order  filter.Order
	// After is the last request of the page before; the zero place: there was none.
	After filter.Place
	// Size of the page.
	Size int
}

// Request is one row of the view requests. Times are microseconds.
type Request struct {
	RequestID, ProjectID, KeyID, GatewayID uuid.UUID
	StartedAt                              time.Time
	Route, Provider, Model, Outcome        string
	ErrorCode, PriceBookVersion            string
	Streamed                               bool
	Status, Attempts                       uint16
	InputTokens, OutputTokens              int64
	CostNanoUSD                            *int64 // nil: unpriced
	DurationUS                             int64
	TimeToFirstTokenUS                     *int64
	PolicyVersion                          int64
	Surface, EndUser, RunID                string
	Labels                                 map[string]string
	RefusedBy                              uuid.UUID   // zero: by no quota
	Beyond                                 []uuid.UUID // quotas that refuse nothing, and would have
	QueuedUS                               int64
}

// requestColumns are in the order of scanRequest.
const requestColumns = `
  request_id, started_at, route, project_id, key_id, provider, model, streamed, outcome, status, error_code,
  input_tokens, output_tokens, cost_usd, duration_us, time_to_first_token_us, policy_version, attempts,
  price_book_version, gateway_id, surface, end_user, run_id, labels,
  refused_by_quota_id, beyond_quota_ids, queued_us`

// SQL asks for one row more than the page, to know whether there is a next one. A
// place that no list with this order has is an Invalid fault about the field page_token.
func (l List) SQL() (string, clickhouse.Parameters, error) {
	statement := &filter.ClickHouse{}
	after, ok := l.Order.After(l.After, statement)
	if !ok {
		return "", nil, fault.Field("page_token", "it is not of this list")
	}
	sql := `SELECT` + requestColumns + `, ` + l.Order.Columns() + `
FROM requests
WHERE ` + l.Filter.SQL(statement) + ` AND ` + after + `
ORDER BY ` + l.Order.By() + `
LIMIT {size:UInt16}`
	parameters := clickhouse.Parameters{"size": strconv.Itoa(l.Size + 1)}
	addParameters(parameters, statement.Parameters)
	return sql, parameters, nil
}

// Requests returns a page, and where it ends; nil: there is no next one.
func (r *Reports) Requests(ctx context.Context, l List) ([]Request, *filter.Place, error) {
	sql, parameters, err := l.SQL()
	if err != nil {
		return nil, nil, err
	}
	ctx, leave, err := r.enter(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer leave()
	var out []Request
	var last, end *filter.Place
	columns, place := l.Order.Scan()
	err = r.each(ctx, sql, parameters, func(rows driver.Rows) error {
		if len(out) == l.Size {
			end = last
			return nil
		}
		one, err := scanRequest(rows, columns)
		at := place(one.RequestID)
		out, last = append(out, one), &at
		return err
	})
	return out, end, err
}

func scanRequest(rows driver.Rows, more []any) (r Request, err error) {
	var cost *decimal.Decimal
	err = rows.Scan(append([]any{&r.RequestID, &r.StartedAt, &r.Route, &r.ProjectID, &r.KeyID, &r.Provider, &r.Model, &r.Streamed,
		&r.Outcome, &r.Status, &r.ErrorCode, &r.InputTokens, &r.OutputTokens, &cost, &r.DurationUS, &r.TimeToFirstTokenUS,
		&r.PolicyVersion, &r.Attempts, &r.PriceBookVersion, &r.GatewayID,
		&r.Surface, &r.EndUser, &r.RunID, &r.Labels, &r.RefusedBy, &r.Beyond, &r.QueuedUS}, more...)...)
	r.CostNanoUSD = nanoOf(cost)
	return r, err
}

func nanoOf(usd *decimal.Decimal) *int64 {
	if usd == nil {
		return nil
	}
	n := nano(*usd)
	return &n
}
