-- Signed with the key of a revoked agent and in the dead-letter topic: nobody takes its
-- word for these numbers, and they are not settled. dead_lettered is true, too.
ALTER TABLE usage_range ADD COLUMN IF NOT EXISTS agent_revoked Bool DEFAULT false AFTER dead_lettered;

-- As in 0005, with what was put aside of revoked agents apart, and one row for each boot
-- whichever agents shipped it: one that enrols anew ships what the former left in its
-- folder. A boot's name has 64 random bits.
CREATE OR REPLACE VIEW completeness DEFINER = report_definer SQL SECURITY DEFINER AS
SELECT
  argMax(gateway, highest) AS gateway_id,
  argMax(agent, highest) AS agent_id,
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
  sum(known) - sum(covered) AS dead_lettered,
  sum(seen) - sum(known) AS of_revoked_agent
FROM (
  SELECT
    argMax(gateway_id, (NOT agent_revoked, last_seq)) AS gateway,
    argMax(agent_id, (NOT agent_revoked, last_seq)) AS agent,
    boot AS boot_id,
    0 AS tail,
    false AS is_closed,
    arraySort(groupArrayIf((first_seq, last_seq), NOT dead_lettered)) AS ranges,
    arraySort(groupArrayIf((first_seq, last_seq), NOT agent_revoked)) AS all_ranges,
    arraySort(groupArray((first_seq, last_seq))) AS seen_ranges,
    arrayMax(arrayPushBack(all_ranges.2, toInt64(0))) AS highest,
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
    arrayFold((acc, r) -> (
      acc.1 + greatest(r.2 - greatest(r.1 - 1, acc.2), 0),
      greatest(acc.2, r.2)
    ), seen_ranges, (toInt64(0), toInt64(0))).1 AS seen,
    0 AS stored,
    0 AS distinct_rows
  FROM usage_range
  GROUP BY boot
  UNION ALL
  SELECT argMax(gateway_id, copied_at), argMax(agent_id, copied_at), boot, max(last_seq), max(closed), [], [], [], 0, 0, 0, 0, 0, 0, 0
  FROM agent_tail
  GROUP BY boot
  UNION ALL
  SELECT any(gateway_id), any(agent_id), boot, 0, false, [], [], [], 0, 0, 0, 0, 0, count(), uniqExact(seq)
  FROM usage_event
  GROUP BY boot
)
GROUP BY boot_id
