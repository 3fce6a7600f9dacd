SELECT toStartOfDay(hour, {time_zone:String}) AS start, outcome, error_code, status, sum(requests) AS requests
FROM errors_hourly WHERE hour >= {from:DateTime64(6, 'UTC')} AND hour < {to:DateTime64(6, 'UTC')} GROUP BY start, outcome, error_code, status ORDER BY start, requests DESC
