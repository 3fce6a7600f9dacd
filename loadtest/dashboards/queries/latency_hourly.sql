SELECT hour, route, sum(requests), max(duration_p95_us), max(time_to_first_token_p95_us)
FROM latency_hourly WHERE hour >= {from:DateTime64(6, 'UTC')} AND hour < {to:DateTime64(6, 'UTC')} GROUP BY hour, route ORDER BY hour, route
