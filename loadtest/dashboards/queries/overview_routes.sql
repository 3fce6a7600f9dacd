SELECT route, count() AS requests, countIf(failed) AS errors, sum(priced_cost_usd) AS usd,
  quantileDDIf(0.01, 0.95)(duration_us, served), quantileDDIf(0.01, 0.95)(first_token_us, has_first_token)
FROM requests WHERE hour >= {from:DateTime64(6, 'UTC')} AND hour < {to:DateTime64(6, 'UTC')} GROUP BY route ORDER BY usd DESC LIMIT 10
