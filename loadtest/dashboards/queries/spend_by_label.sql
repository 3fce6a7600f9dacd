SELECT value, sum(records), sum(cost_usd) AS usd
FROM spend_by_label WHERE label = 'team' AND kind = 'request' AND day >= toDate({from:DateTime64(6, 'UTC')}) AND day < toDate({to:DateTime64(6, 'UTC')}) + 1 GROUP BY value ORDER BY usd DESC
