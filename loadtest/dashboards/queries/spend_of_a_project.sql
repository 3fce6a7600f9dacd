SELECT toStartOfDay(hour, {time_zone:String}) AS start, route, sum(priced_cost_usd) AS usd, sum(attempts) AS attempts
FROM records WHERE hour >= {from:DateTime64(6, 'UTC')} AND hour < {to:DateTime64(6, 'UTC')} AND project_id = '0192a000-0000-7000-a000-000000000001' GROUP BY start, route ORDER BY start, route
