SELECT
  CAST(project_id, 'String') AS d0,
  labels[{label_1:String}] AS d1,
  toNullable(toInt64(sum(priced_cost_usd) * 1000000000)) AS most
FROM requests
WHERE hour >= {from:DateTime64(6, 'UTC')} AND hour < {to:DateTime64(6, 'UTC')}
  AND ((route = {filter_0:String}) AND (ifNull(outcome != {filter_1:String}, true)))
GROUP BY d0, d1
ORDER BY most DESC NULLS LAST, d0, d1
LIMIT {top:UInt16}
