SELECT labels['team'] AS team, count() AS requests, sum(priced_cost_usd) AS usd, countIf(unpriced)
FROM requests WHERE day >= toDate({from:DateTime64(6, 'UTC')}) AND day < toDate({to:DateTime64(6, 'UTC')}) + 1 GROUP BY team ORDER BY usd DESC
