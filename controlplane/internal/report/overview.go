package report

import (
	"context"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/shopspring/decimal"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// Interval in which a series is cut.
type Interval int

// Intervals, in the order of weir.admin.v1.Interval.
const (
	Minute Interval = iota + 1
	Hour
	Day
)

const maxPoints = 5_000

// Overview asks who spent what, and whether it is healthy, in [From, To).
type Overview struct {
	From, To time.Time
	Interval Interval
	// TimeZone is an IANA name; empty: UTC.
	TimeZone string
}

// Totals of some requests of applications. Durations are microseconds, of requests that
// the agent did not refuse itself, nil where there was none.
type Totals struct {
	Requests, Errors, InputTokens, OutputTokens int64
	// CostNanoUSD is of what is priced, ShadowCostNanoUSD included.
	CostNanoUSD                  int64
	UnpricedRequests             int64
	DurationP50US, DurationP95US *int64
	TimeToFirstTokenP95US        *int64
	// Shadows are copies of requests; they count in nothing but cost.
	Shadows, ShadowCostNanoUSD, UnpricedShadows int64
}

// Point is one interval with requests.
type Point struct {
	Start time.Time
	Totals
}

// RouteTotals are those of one route.
type RouteTotals struct {
	Route string
	Totals
}

// OverviewResult has the series in order of time and the routes by cost.
type OverviewResult struct {
	Totals   Totals
	Series   []Point
	Routes   []RouteTotals
	TimeZone string
}

// WithDefaults ends at now, begins a day before its end and is cut into hours.
func (o Overview) WithDefaults(now time.Time) Overview {
	if o.To.IsZero() {
		o.To = now
	}
	if o.From.IsZero() {
		o.From = o.To.Add(-24 * time.Hour)
	}
	if o.Interval == 0 {
		o.Interval = Hour
	}
	if o.TimeZone == "" {
		o.TimeZone = "UTC"
	}
	return o
}

// Validate returns a fault for the caller.
func (o Overview) Validate() error {
	if _, err := loadZone(o.TimeZone); err != nil {
		return err
	}
	if !o.From.Before(o.To) {
		return fault.Field("to", "must be after from")
	}
	step := map[Interval]time.Duration{Minute: time.Minute, Hour: time.Hour, Day: 24 * time.Hour}[o.Interval]
	if step == 0 {
		return fault.Field("interval", "is not known")
	}
	if o.To.Sub(o.From)/step > maxPoints {
		return fault.Field("interval", "cuts the range into more than %d points", maxPoints)
	}
	return nil
}

func (o Overview) parameters() clickhouse.Parameters {
	return clickhouse.Parameters{"from": parameterTime(o.From), "to": parameterTime(o.To), "time_zone": o.TimeZone}
}

func parameterTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000000") }

// Overview runs the query as the caller's organization.
func (r *Reports) Overview(ctx context.Context, o Overview) (OverviewResult, error) {
	o = o.WithDefaults(time.Now())
	if err := o.Validate(); err != nil {
		return OverviewResult{}, err
	}
	ctx, leave, err := r.enter(ctx)
	if err != nil {
		return OverviewResult{}, err
	}
	defer leave()
	parameters := o.parameters()
	out := OverviewResult{TimeZone: o.TimeZone}
	err = r.each(ctx, o.TotalsSQL(), parameters, func(rows driver.Rows) (err error) {
		out.Totals, err = scanTotals(rows)
		return err
	})
	if err != nil {
		return OverviewResult{}, err
	}
	err = r.each(ctx, o.SeriesSQL(), parameters, func(rows driver.Rows) (err error) {
		var p Point
		p.Totals, err = scanTotals(rows, &p.Start)
		out.Series = append(out.Series, p)
		return err
	})
	if err != nil {
		return OverviewResult{}, err
	}
	err = r.each(ctx, o.RoutesSQL(), parameters, func(rows driver.Rows) (err error) {
		var t RouteTotals
		t.Totals, err = scanTotals(rows, &t.Route)
		out.Routes = append(out.Routes, t)
		return err
	})
	return out, err
}

// each runs a fixed query. ClickHouse's text about one is nothing for the caller.
func (r *Reports) each(ctx context.Context, sql string, parameters clickhouse.Parameters, visit func(driver.Rows) error) error {
	rows, err := query(ctx, r.answers, sql, parameters, "UTC", answerBounds)
	if err != nil {
		return explainFixed(ctx, err)
	}
	for rows.Next() {
		if err := visit(rows); err != nil {
			_ = rows.Close()
			return err
		}
	}
	if err := rows.Err(); err != nil {
		_ = rows.Close()
		return explainFixed(ctx, err)
	}
	return rows.Close()
}

func explainFixed(ctx context.Context, err error) error {
	if explained := explain(ctx, err, answerBounds); !fault.Is(explained, fault.Invalid) {
		return explained
	}
	return err
}

func scanTotals(rows driver.Rows, before ...any) (t Totals, err error) {
	var cost, shadowCost decimal.Decimal
	err = rows.Scan(append(before, &t.Requests, &t.Errors, &t.InputTokens, &t.OutputTokens, &cost, &t.UnpricedRequests,
		&t.DurationP50US, &t.DurationP95US, &t.TimeToFirstTokenP95US, &t.Shadows, &shadowCost, &t.UnpricedShadows)...)
	t.CostNanoUSD, t.ShadowCostNanoUSD = nano(cost), nano(shadowCost)
	return t, err
}

// nano is exact: the column has nine decimals.
func nano(usd decimal.Decimal) int64 { return usd.Shift(9).IntPart() }
