SELECT kind, toStartOfDay(hour, {time_zone:String}) AS start, count() AS records, sum(priced_cost_usd), countIf(unpriced), sum(lost_requests)
FROM records WHERE hour >= {from:DateTime64(6, 'UTC')} AND hour < {to:DateTime64(6, 'UTC')} AND kind != 'request' GROUP BY kind, start ORDER BY start
