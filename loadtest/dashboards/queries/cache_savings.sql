SELECT provider, model, sum(cache_read_tokens), sum(cost_usd), sum(cache_saved_usd) AS saved
FROM cache_savings WHERE day >= toDate({from:DateTime64(6, 'UTC')}) AND day < toDate({to:DateTime64(6, 'UTC')}) + 1 GROUP BY provider, model ORDER BY saved DESC
