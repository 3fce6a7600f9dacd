package report

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// Details are one request with what led to its answer.
type Details struct {
	Request Request
	// Attempts in the order in which they began.
	Attempts []Attempt
	// Candidates are the route's targets when the first attempt was chosen.
	Candidates []Candidate
	// Shadows are attempts of copies.
	Shadows []Attempt
}

// Attempt is one row of the view attempts. Times are microseconds.
type Attempt struct {
	RequestID                       uuid.UUID
	Kind, Cause                     string
	Provider, Model, Outcome        string
	PriceBookVersion                string
	Status                          uint16
	StartedAfterUS, DurationUS      int64
	TimeToFirstTokenUS, CostNanoUSD *int64 // cost nil: unpriced
	InputTokens, OutputTokens       int64
}

// Candidate is why a target was, or was not, to be tried.
type Candidate struct{ Provider, Model, Verdict string }

// RequestSQL asks for one request, and then each of its candidates.
const RequestSQL = `SELECT` + requestColumns + `,
  candidates.provider, candidates.model, candidates.verdict
FROM requests
WHERE request_id = {request_id:UUID}
LIMIT 1`

// AttemptsSQL asks for attempts of a request, and of its copies for shadows, which begin
// when it does.
const AttemptsSQL = `SELECT
  request_id, kind, cause, provider, model, outcome, price_book_version, status,
  toInt64(dateDiff('microsecond', request_started_at, started_at)) AS started_after_us,
  duration_us, time_to_first_token_us, input_tokens, output_tokens, cost_usd
FROM attempts
WHERE request_started_at >= {from:DateTime64(6, 'UTC')} AND request_started_at < {to:DateTime64(6, 'UTC')}
  AND (request_id = {request_id:UUID} OR parent_request_id = {request_id:UUID})
ORDER BY kind != 'request', request_id, attempt
LIMIT 200`

// shadowsWithin is how long after its request a copy may begin.
const shadowsWithin = 10 * time.Minute

// Request returns one request of an application; a NotFound fault where there is none.
func (r *Reports) Request(ctx context.Context, id uuid.UUID) (Details, error) {
	ctx, leave, err := r.enter(ctx)
	if err != nil {
		return Details{}, err
	}
	defer leave()
	var out Details
	found := false
	parameters := clickhouse.Parameters{"request_id": id.String()}
	err = r.each(ctx, RequestSQL, parameters, func(rows driver.Rows) (err error) {
		var providers, models, verdicts []string
		out.Request, err = scanRequest(rows, []any{&providers, &models, &verdicts})
		found = true
		for i := range providers {
			out.Candidates = append(out.Candidates, Candidate{providers[i], models[i], verdicts[i]})
		}
		return err
	})
	if err != nil {
		return Details{}, err
	}
	if !found {
		return Details{}, fault.New(fault.NotFound,
			"no request %s of this organization is stored: it may be seconds too young, older than the retention, or a copy for a shadow", id)
	}
	parameters["from"] = parameterTime(out.Request.StartedAt)
	parameters["to"] = parameterTime(out.Request.StartedAt.Add(shadowsWithin))
	err = r.each(ctx, AttemptsSQL, parameters, func(rows driver.Rows) error {
		a, err := scanAttempt(rows)
		if a.RequestID == id {
			out.Attempts = append(out.Attempts, a)
		} else {
			out.Shadows = append(out.Shadows, a)
		}
		return err
	})
	return out, err
}

func scanAttempt(rows driver.Rows) (a Attempt, err error) {
	var cost *decimal.Decimal
	err = rows.Scan(&a.RequestID, &a.Kind, &a.Cause, &a.Provider, &a.Model, &a.Outcome, &a.PriceBookVersion, &a.Status,
		&a.StartedAfterUS, &a.DurationUS, &a.TimeToFirstTokenUS, &a.InputTokens, &a.OutputTokens, &cost)
	a.CostNanoUSD = nanoOf(cost)
	return a, err
}
