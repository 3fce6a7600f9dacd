SELECT
  toInt64(toDate(hour, {time_zone:String})) AS bucket,
  toInt64(indexOf({groups:Array(Array(String))}, [CAST(project_id, 'String'), labels[{label_1:String}]])) AS place,
  toNullable(toInt64(sum(priced_cost_usd) * 1000000000)),
  toNullable(toInt64(countIf(failed))),
  accurateCastOrNull(round(quantileDDIf(0.01, 0.95)(duration_us, served)), 'Int64')
FROM requests
WHERE hour >= {from:DateTime64(6, 'UTC')} AND hour < {to:DateTime64(6, 'UTC')}
  AND ((route = {filter_0:String}) AND (ifNull(outcome != {filter_1:String}, true)))
GROUP BY bucket, place
