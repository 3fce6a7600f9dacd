SELECT day, provider, model, sum(attempts), sum(cost_usd) AS usd
FROM spend_by_model WHERE day >= toDate({from:DateTime64(6, 'UTC')}) AND day < toDate({to:DateTime64(6, 'UTC')}) + 1 GROUP BY day, provider, model ORDER BY day, usd DESC
