package report

import "strings"

// ofRequests and ofShadows have the same columns. Only attempts have copies for shadows.
// What the agent refused itself waited for nobody, and has no latency.
const (
	ofRequests = `count() AS n,
    countIf(outcome NOT IN ('ok', 'client_closed')) AS failed,
    sum(input_tokens) AS input,
    sum(output_tokens) AS output,
    sum(priced_cost_usd) AS cost,
    countIf(cost_usd IS NULL) AS unpriced,
    toInt64(quantileTDigestOrNullIf(0.5)(duration_us, outcome != 'refused')) AS p50,
    toInt64(quantileTDigestOrNullIf(0.95)(duration_us, outcome != 'refused')) AS p95,
    toInt64(quantileTDigestOrNullIf(0.95)(time_to_first_token_us, outcome != 'refused')) AS first_token_p95,
    0 AS copies, toDecimal128(0, 9) AS copies_cost, 0 AS copies_unpriced
  FROM requests
  WHERE started_at >= {from:DateTime64(6, 'UTC')} AND started_at < {to:DateTime64(6, 'UTC')}`

	ofShadows = `0, 0, 0, 0, sum(ifNull(cost_usd, 0)), 0, NULL, NULL, NULL,
    uniqExact(request_id), sum(ifNull(cost_usd, 0)), uniqExactIf(request_id, cost_usd IS NULL)
  FROM attempts
  WHERE kind != 'request' AND request_started_at >= {from:DateTime64(6, 'UTC')} AND request_started_at < {to:DateTime64(6, 'UTC')}`

	ofBoth = `toInt64(sum(n)) AS requests,
  toInt64(sum(failed)) AS errors,
  sum(input) AS input_tokens_sum,
  sum(output) AS output_tokens_sum,
  sum(cost) AS cost_usd_sum,
  toInt64(sum(unpriced)) AS unpriced_requests,
  max(p50) AS duration_p50_us,
  max(p95) AS duration_p95_us,
  max(first_token_p95) AS time_to_first_token_p95_us,
  toInt64(sum(copies)) AS shadows,
  sum(copies_cost) AS shadow_cost_usd_sum,
  toInt64(sum(copies_unpriced)) AS unpriced_shadows`
)

// grouping is by what totals are asked for. The zero one is one row of everything.
type grouping struct {
	name string
	// as what requests and attempts have it.
	inRequests, inAttempts string
	// end of the statement: ORDER BY, LIMIT.
	end string
}

// sql asks for one row of totals per group, of requests with the shadows apart.
func (g grouping) sql() string {
	by, requests, attempts, each := "", "", "", ""
	if g.name != "" {
		by, each = g.name+",\n  ", "\n  GROUP BY "+g.name
		requests, attempts = g.inRequests+" AS "+g.name+",\n    ", g.inAttempts+" AS "+g.name+",\n    "
	}
	return strings.Join([]string{
		"SELECT\n  " + by + ofBoth,
		"FROM (",
		"  SELECT\n    " + requests + ofRequests + each,
		"  UNION ALL",
		"  SELECT\n    " + attempts + ofShadows + each,
		")" + strings.ReplaceAll(each, "  ", "") + g.end,
	}, "\n")
}

// TotalsSQL asks for one row.
func (o Overview) TotalsSQL() string { return grouping{}.sql() }

// SeriesSQL asks for one row per interval with requests or shadows.
func (o Overview) SeriesSQL() string {
	start := map[Interval]string{Minute: "toStartOfMinute", Hour: "toStartOfHour", Day: "toStartOfDay"}[o.Interval]
	return grouping{
		name: "start", inRequests: start + "(started_at, {time_zone:String})", inAttempts: start + "(request_started_at, {time_zone:String})",
		end: "\nORDER BY start",
	}.sql()
}

// RoutesSQL asks for the routes that cost most.
func (o Overview) RoutesSQL() string {
	return grouping{name: "of_route", inRequests: "route", inAttempts: "route", end: "\nORDER BY cost_usd_sum DESC, requests DESC, of_route\nLIMIT 10"}.sql()
}
