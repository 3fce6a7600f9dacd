SELECT toStartOfHour(hour, {time_zone:String}) AS start, count() AS requests, countIf(failed) AS errors, sum(priced_cost_usd),
  quantileDDIf(0.01, 0.5)(duration_us, served), quantileDDIf(0.01, 0.95)(duration_us, served), quantileDDIf(0.01, 0.95)(first_token_us, has_first_token)
FROM requests WHERE hour >= {from:DateTime64(6, 'UTC')} AND hour < {to:DateTime64(6, 'UTC')} GROUP BY start ORDER BY start
