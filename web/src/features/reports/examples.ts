export interface Example {
  /** In addresses: it stays. */
  id: string;
  title: string;
  /** What it answers. */
  about: string;
  sql: string;
}

/** Each is run by a test of controlplane/internal/report against the real store. */
export const examples: readonly Example[] = [
  {
    id: "who-spends-most",
    title: "Who spends most, and why it changed",
    about: "This period beside the one before: what changed because there were more requests, and what because each cost more.",
    sql: `-- @param days = 7
-- @chart bar x=model y=because_more_requests_usd,because_each_cost_more_usd
WITH today() - {days:UInt16} AS begin
SELECT route, model,
  sumIf(priced_cost_usd, day > begin) AS usd,
  sumIf(priced_cost_usd, day <= begin) AS usd_before,
  usd - usd_before AS change_usd,
  countIf(day > begin) AS requests,
  countIf(day <= begin) AS requests_before,
  if(requests_before = 0, change_usd, (toInt64(requests) - toInt64(requests_before)) * usd_before / greatest(requests_before, 1)) AS because_more_requests_usd,
  change_usd - because_more_requests_usd AS because_each_cost_more_usd
FROM requests
WHERE day > today() - 2 * {days:UInt16}
GROUP BY route, model
ORDER BY usd DESC
LIMIT 100`,
  },
  {
    id: "spend-by-day",
    title: "Spend by day and route",
    about: "What each day cost, copies for shadows included.",
    sql: `-- @param days = 30
-- @chart stacked x=day y=usd by=route
SELECT day, route, sum(cost_usd) AS usd, sum(attempts) AS attempts, sum(unpriced_attempts) AS unpriced
FROM spend_daily
WHERE day > today() - {days:UInt16}
GROUP BY day, route
ORDER BY day, usd DESC`,
  },
  {
    id: "cost-per-thousand",
    title: "Cost of 1,000 requests, by route",
    about: "Which routes are dear for each request, whatever their traffic. Requests without a price are counted apart.",
    sql: `-- @param days = 30
-- @chart bar x=route y=usd_per_1000
SELECT route,
  countIf(NOT unpriced) AS priced_requests,
  sum(priced_cost_usd) AS usd,
  usd * 1000 / greatest(priced_requests, 1) AS usd_per_1000,
  countIf(unpriced) AS unpriced_requests
FROM requests
WHERE day > today() - {days:UInt16}
GROUP BY route
ORDER BY usd_per_1000 DESC`,
  },
  {
    id: "cache-share",
    title: "Share of input read from caches",
    about: "How much of each model's prompts came from the provider's cache, and what that saved.",
    sql: `-- @param days = 30
-- @chart line x=day y=read_percent by=model
SELECT day, model,
  100 * sum(cache_read_tokens) / greatest(sum(input_tokens), 1) AS read_percent,
  sum(cache_read_tokens) AS read_tokens,
  sum(input_tokens) AS all_input_tokens,
  sum(cache_saved_usd) AS saved_usd
FROM cache_savings
WHERE day > today() - {days:UInt16}
GROUP BY day, model
ORDER BY day, model`,
  },
  {
    id: "p95-by-target",
    title: "95th percentile by target",
    about: "How long the slowest twentieth of requests took, by provider and model, hour by hour. What the agent refused itself is not in it.",
    sql: `-- @param hours = 24
-- @chart line x=hour y=p95_ms by=target
SELECT hour, concat(provider, ' / ', model) AS target, countIf(served) AS requests,
  quantileDDIf(0.01, 0.95)(duration_us, served) / 1000 AS p95_ms
FROM requests
WHERE hour >= now() - toIntervalHour({hours:UInt16})
GROUP BY hour, provider, model
HAVING requests > 0
ORDER BY hour, target`,
  },
  {
    id: "retries-and-hedges",
    title: "What retries, fallbacks and hedges cost",
    about: "Every call beyond a request's first one, by its cause, and how many were made in vain.",
    sql: `-- @param days = 7
-- @chart bar x=cause y=usd
SELECT cause, count() AS attempts,
  countIf(outcome NOT IN ('ok', 'client_closed')) AS in_vain,
  sum(cost_usd) AS usd,
  sumIf(cost_usd, outcome NOT IN ('ok', 'client_closed')) AS in_vain_usd
FROM attempts
WHERE kind = 'request' AND cause != 'first' AND request_started_at > now() - toIntervalDay({days:UInt16})
GROUP BY cause
ORDER BY usd DESC`,
  },
  {
    id: "budget-burn",
    title: "Budget burn",
    about: "What has been spent by the end of each day, and what is then left of an amount that you name.",
    sql: `-- @param days = 30
-- @param budget_usd = 1000
-- @chart line x=day y=spent_usd,left_usd
SELECT day,
  sum(cost_usd) AS usd,
  sum(usd) OVER (ORDER BY day) AS spent_usd,
  {budget_usd:Decimal(18, 9)} - spent_usd AS left_usd
FROM spend_daily
WHERE day > today() - {days:UInt16}
GROUP BY day
ORDER BY day`,
  },
  {
    id: "errors-by-code",
    title: "Errors by code",
    about: "What went wrong each day: as the gateway names it, or else how the request ended.",
    sql: `-- @param days = 7
-- @chart stacked x=day y=requests by=error
SELECT toDate(hour) AS day, if(error_code = '', outcome, error_code) AS error, sum(requests) AS requests
FROM errors_hourly
WHERE hour >= toStartOfDay(now() - toIntervalDay({days:UInt16}))
GROUP BY day, error
ORDER BY day, requests DESC`,
  },
  {
    id: "unpriced",
    title: "Usage without a price",
    about: "What was called and could not be priced, most first: give each a price override, and re-rate what was.",
    sql: `-- @param days = 30
SELECT provider, model, surface, count() AS attempts,
  sum(input_tokens) AS tokens_in, sum(output_tokens) AS tokens_out,
  min(request_started_at) AS first_seen, max(request_started_at) AS last_seen
FROM attempts
WHERE cost_usd IS NULL AND request_started_at > now() - toIntervalDay({days:UInt16})
GROUP BY provider, model, surface
ORDER BY attempts DESC`,
  },
  {
    id: "cost-by-team",
    title: "Spend by team",
    about: "What requests with a label cost, by its values: a request without the label is in none.",
    sql: `-- @param days = 30
-- @param label = team
-- @chart bar x=value y=usd
SELECT value, sum(records) AS requests, sum(cost_usd) AS usd, sum(unpriced_records) AS unpriced
FROM spend_by_label
WHERE label = {label:String} AND kind = 'request' AND day > today() - {days:UInt16}
GROUP BY value
ORDER BY usd DESC`,
  },
  {
    id: "slowest",
    title: "Slowest requests",
    about: "The requests of the last hours that took longest, and how much of it the gateway added.",
    sql: `-- @param hours = 24
SELECT started_at, route, model, outcome, duration_us, time_to_first_token_us, overhead_us, attempts, cost_usd, request_id
FROM requests
WHERE started_at > now() - toIntervalHour({hours:UInt16})
ORDER BY duration_us DESC
LIMIT 100`,
  },
  {
    id: "complete",
    title: "Is every record there?",
    about: "Each start of an agent, and whether all that it numbered has arrived, once.",
    sql: `SELECT agent_id, boot, complete, lossless, rows, last_seq, missing_tail, holes, dead_lettered, doubled_rows, lost_requests, lost_cost_usd
FROM completeness
ORDER BY complete, lossless, agent_id
LIMIT 1000`,
  },
];

export function exampleOf(id: string | undefined): Example | undefined {
  return examples.find((example) => example.id === id);
}
