export interface Example {
  label: string;
  sql: string;
}

export const examples: readonly Example[] = [
  { label: "Newest requests", sql: "SELECT * FROM requests ORDER BY started_at DESC LIMIT 20" },
  { label: "Spend by day", sql: "SELECT * FROM spend_daily LIMIT 100" },
  { label: "Is every record there?", sql: "SELECT * FROM completeness LIMIT 100" },
];
