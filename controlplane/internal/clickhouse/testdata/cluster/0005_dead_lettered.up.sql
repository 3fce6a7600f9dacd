-- A range is stored as rows, or lies in the dead-letter topic.
ALTER TABLE usage_range ON CLUSTER 'weir' ADD COLUMN IF NOT EXISTS dead_lettered Bool DEFAULT false AFTER last_seq;

-- Takes what usage_event takes and keeps nothing: ingest looks here for the rows of
-- a refused block that are to blame. Its columns and constraints follow usage_event.
CREATE TABLE IF NOT EXISTS usage_trial ON CLUSTER 'weir' AS usage_event ENGINE = Null;

-- As in 0004, with what was dead-lettered apart. A range can be both: its records
-- were replayed and are rows now.
CREATE OR REPLACE VIEW completeness ON CLUSTER 'weir' DEFINER = report_definer SQL SECURITY DEFINER AS
SELECT
  any(gateway) AS gateway_id,
  agent AS agent_id,
  boot_id AS boot,
  greatest(max(tail), max(highest)) AS last_seq,
  max(is_closed) AS closed,
  sum(covered) AS settled,
  greatest(max(tail) - max(highest), 0) AS missing_tail,
  max(highest) - sum(known) AS holes,
  sum(claimed) - sum(covered) AS doubled_ranges,
  sum(stored) AS rows,
  sum(stored) - sum(distinct_rows) AS doubled_rows,
  CAST(missing_tail = 0 AND holes = 0 AND doubled_ranges = 0 AND doubled_rows = 0 AND dead_lettered = 0, 'Bool') AS complete,
  sum(known) - sum(covered) AS dead_lettered
FROM (
  SELECT
    any(gateway_id) AS gateway,
    agent_id AS agent,
    boot AS boot_id,
    0 AS tail,
    false AS is_closed,
    arraySort(groupArrayIf((first_seq, last_seq), NOT dead_lettered)) AS ranges,
    arraySort(groupArray((first_seq, last_seq))) AS all_ranges,
    arrayMax(all_ranges.2) AS highest,
    arraySum(arrayMap(r -> r.2 - r.1 + 1, ranges)) AS claimed,
    -- The union's length: what each range adds beyond the highest end before it.
    arrayFold((acc, r) -> (
      acc.1 + greatest(r.2 - greatest(r.1 - 1, acc.2), 0),
      greatest(acc.2, r.2)
    ), ranges, (toInt64(0), toInt64(0))).1 AS covered,
    arrayFold((acc, r) -> (
      acc.1 + greatest(r.2 - greatest(r.1 - 1, acc.2), 0),
      greatest(acc.2, r.2)
    ), all_ranges, (toInt64(0), toInt64(0))).1 AS known,
    0 AS stored,
    0 AS distinct_rows
  FROM usage_range
  GROUP BY agent_id, boot
  UNION ALL
  SELECT any(gateway_id), agent_id, boot, max(last_seq), max(closed), [], [], 0, 0, 0, 0, 0, 0
  FROM agent_tail
  GROUP BY agent_id, boot
  UNION ALL
  SELECT any(gateway_id), agent_id, boot, 0, false, [], [], 0, 0, 0, 0, count(), uniqExact(seq)
  FROM usage_event
  GROUP BY agent_id, boot
)
GROUP BY agent, boot_id
