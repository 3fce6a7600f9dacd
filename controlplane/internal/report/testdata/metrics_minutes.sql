SELECT
  toInt64(toUnixTimestamp(toStartOfMinute(started_at))) AS bucket,
  toNullable(toInt64(sum(priced_cost_usd) * 1000000000)),
  toNullable(toInt64(countIf(failed))),
  accurateCastOrNull(round(quantileDDIf(0.01, 0.95)(duration_us, served)), 'Int64')
FROM requests
WHERE started_at >= {from:DateTime64(6, 'UTC')} AND started_at < {to:DateTime64(6, 'UTC')}
  AND ((route = {filter_0:String}) AND (ifNull(outcome != {filter_1:String}, true)))
GROUP BY bucket
