SELECT
  start,
  toInt64(sum(n)) AS requests,
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
  toInt64(sum(copies_unpriced)) AS unpriced_shadows
FROM (
  SELECT
    toStartOfHour(started_at, {time_zone:String}) AS start,
    count() AS n,
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
  WHERE started_at >= {from:DateTime64(6, 'UTC')} AND started_at < {to:DateTime64(6, 'UTC')}
  GROUP BY start
  UNION ALL
  SELECT
    toStartOfHour(request_started_at, {time_zone:String}) AS start,
    0, 0, 0, 0, sum(ifNull(cost_usd, 0)), 0, NULL, NULL, NULL,
    uniqExact(request_id), sum(ifNull(cost_usd, 0)), uniqExactIf(request_id, cost_usd IS NULL)
  FROM attempts
  WHERE kind != 'request' AND request_started_at >= {from:DateTime64(6, 'UTC')} AND request_started_at < {to:DateTime64(6, 'UTC')}
  GROUP BY start
)
GROUP BY start
ORDER BY start
