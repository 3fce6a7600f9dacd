SELECT project_id, key_id, count() AS requests, sum(priced_cost_usd) AS usd, sum(cache_read_tokens)
FROM records WHERE hour >= {from:DateTime64(6, 'UTC')} AND hour < {to:DateTime64(6, 'UTC')} GROUP BY project_id, key_id ORDER BY usd DESC LIMIT 100
