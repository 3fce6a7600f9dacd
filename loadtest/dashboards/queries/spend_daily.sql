SELECT day, sum(cost_usd) AS usd, sumIf(cost_usd, kind = 'shadow') AS of_shadows, sum(unpriced_attempts)
FROM spend_daily WHERE day >= toDate({from:DateTime64(6, 'UTC')}) AND day < toDate({to:DateTime64(6, 'UTC')}) + 1 GROUP BY day ORDER BY day
