export interface Example {
  label: string;
  sql: string;
}

/** Each is run by a test of controlplane/internal/report against the real store. */
export const examples: readonly Example[] = [
  { label: "Newest requests", sql: "SELECT * FROM requests ORDER BY started_at DESC LIMIT 20" },
  { label: "Spend by day", sql: "SELECT * FROM spend_daily LIMIT 100" },
  {
    label: "Cost by surface",
    sql: `SELECT surface, count() AS requests, sum(priced_cost_usd) AS usd, countIf(cost_usd IS NULL) AS unpriced
FROM requests WHERE started_at > now() - INTERVAL 7 DAY
GROUP BY surface ORDER BY usd DESC`,
  },
  {
    label: "Cost by team",
    sql: `SELECT labels['team'] AS team, count() AS requests, sum(priced_cost_usd) AS usd, countIf(cost_usd IS NULL) AS unpriced
FROM requests WHERE started_at > now() - INTERVAL 7 DAY
GROUP BY team ORDER BY usd DESC`,
  },
  { label: "Is every record there?", sql: "SELECT * FROM completeness LIMIT 100" },
];

/** views are what a statement may read from. */
export const views = ["requests", "attempts", "spend_daily", "latency_hourly", "completeness"] as const;
