SELECT
  toInt64(count()) AS requests,
  toInt64(countIf(outcome NOT IN ('ok', 'client_closed'))) AS errors,
  sum(input_tokens) AS input_tokens_sum,
  sum(output_tokens) AS output_tokens_sum,
  sum(priced_cost_usd) AS cost_usd_sum,
  toInt64(countIf(cost_usd IS NULL)) AS unpriced_requests,
  toInt64(quantileTDigestOrNull(0.5)(duration_us)) AS duration_p50_us,
  toInt64(quantileTDigestOrNull(0.95)(duration_us)) AS duration_p95_us,
  toInt64(quantileTDigestOrNull(0.95)(time_to_first_token_us)) AS time_to_first_token_p95_us
FROM requests
WHERE started_at >= {from:DateTime64(6, 'UTC')} AND started_at < {to:DateTime64(6, 'UTC')}
