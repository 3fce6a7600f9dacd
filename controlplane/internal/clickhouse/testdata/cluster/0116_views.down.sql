DROP VIEW IF EXISTS records ON CLUSTER 'weir';
DROP VIEW IF EXISTS spend_by_model ON CLUSTER 'weir';
DROP VIEW IF EXISTS spend_by_label ON CLUSTER 'weir';
DROP VIEW IF EXISTS errors_hourly ON CLUSTER 'weir';
DROP VIEW IF EXISTS cache_savings ON CLUSTER 'weir';

-- As in 0105 and 0095.
CREATE OR REPLACE VIEW requests ON CLUSTER 'weir' DEFINER = report_definer SQL SECURITY DEFINER AS
SELECT
  request_id,
  started_at,
  surface,
  route,
  route_id,
  project_id,
  key_id,
  provider,
  model,
  streamed,
  outcome,
  status,
  error_code,
  text_input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + audio_input_tokens AS input_tokens,
  text_output_tokens + reasoning_tokens + audio_output_tokens AS output_tokens,
  text_input_tokens,
  cache_read_tokens,
  cache_write_5m_tokens,
  cache_write_1h_tokens,
  audio_input_tokens,
  text_output_tokens,
  reasoning_tokens,
  audio_output_tokens,
  cost_usd,
  priced_cost_usd,
  estimated,
  duration_us,
  time_to_first_token_us,
  overhead_us,
  policy_version,
  policy_epoch,
  revocation_version,
  price_book_version,
  toUInt16(length(attempt.provider)) AS attempts,
  gateway_id,
  agent_id,
  boot,
  seq,
  torn_boot,
  torn_local_id,
  kind,
  end_user,
  run_id,
  labels,
  CAST(
    arrayZip(candidate.provider, candidate.model, candidate.verdict),
    'Array(Tuple(provider String, model String, verdict String))'
  ) AS candidates
FROM usage_event
WHERE kind = 'request';

CREATE OR REPLACE VIEW attempts ON CLUSTER 'weir' DEFINER = report_definer SQL SECURITY DEFINER AS
SELECT
  request_id,
  toUInt16(number) AS attempt,
  number = length(e.attempt.provider) AS is_last,
  -- By the table's name: started_at alone would be the attempt's.
  e.started_at + toIntervalMicrosecond(a_started_after_us) AS started_at,
  e.started_at AS request_started_at,
  route,
  project_id,
  key_id,
  a_provider_id AS provider_id,
  a_provider AS provider,
  a_model AS model,
  a_outcome AS outcome,
  a_status AS status,
  a_text_input + a_cache_read + a_cache_write_5m + a_cache_write_1h + a_audio_input AS input_tokens,
  a_text_output + a_reasoning + a_audio_output AS output_tokens,
  a_text_input AS text_input_tokens,
  a_cache_read AS cache_read_tokens,
  a_cache_write_5m AS cache_write_5m_tokens,
  a_cache_write_1h AS cache_write_1h_tokens,
  a_audio_input AS audio_input_tokens,
  a_text_output AS text_output_tokens,
  a_reasoning AS reasoning_tokens,
  a_audio_output AS audio_output_tokens,
  a_usage_source AS usage_source,
  a_cost_usd AS cost_usd,
  a_price_book_version AS price_book_version,
  a_duration_us AS duration_us,
  a_time_to_first_token_us AS time_to_first_token_us,
  lower(hex(a_raw_usage_sha256)) AS raw_usage_sha256,
  gateway_id,
  agent_id,
  a_cause AS cause,
  kind,
  parent_request_id,
  surface,
  end_user,
  run_id,
  labels
FROM usage_event AS e
ARRAY JOIN
  arrayEnumerate(e.attempt.provider) AS number,
  e.attempt.provider_id AS a_provider_id,
  e.attempt.provider AS a_provider,
  e.attempt.model AS a_model,
  e.attempt.started_after_us AS a_started_after_us,
  e.attempt.duration_us AS a_duration_us,
  e.attempt.time_to_first_token_us AS a_time_to_first_token_us,
  e.attempt.status AS a_status,
  e.attempt.outcome AS a_outcome,
  e.attempt.text_input_tokens AS a_text_input,
  e.attempt.cache_read_tokens AS a_cache_read,
  e.attempt.cache_write_5m_tokens AS a_cache_write_5m,
  e.attempt.cache_write_1h_tokens AS a_cache_write_1h,
  e.attempt.audio_input_tokens AS a_audio_input,
  e.attempt.text_output_tokens AS a_text_output,
  e.attempt.reasoning_tokens AS a_reasoning,
  e.attempt.audio_output_tokens AS a_audio_output,
  e.attempt.usage_source AS a_usage_source,
  e.attempt.cost_usd AS a_cost_usd,
  e.attempt.price_book_version AS a_price_book_version,
  e.attempt.raw_usage_sha256 AS a_raw_usage_sha256,
  e.attempt.cause AS a_cause;

CREATE OR REPLACE VIEW spend_daily ON CLUSTER 'weir' DEFINER = report_definer SQL SECURITY DEFINER AS
SELECT
  toDate(started_at, 'UTC') AS day,
  project_id,
  key_id,
  route,
  a_provider AS provider,
  a_model AS model,
  -- A request counts where its last attempt went.
  countIf(kind = 'request' AND number = length(e.attempt.provider)) AS requests,
  countIf(number > 0) AS attempts,
  sum(a_text_input + a_cache_read + a_cache_write_5m + a_cache_write_1h + a_audio_input) AS input_tokens,
  sum(a_text_output + a_reasoning + a_audio_output) AS output_tokens,
  sum(ifNull(a_cost_usd, 0)) AS cost_usd,
  countIf(number > 0 AND a_cost_usd IS NULL) AS unpriced_attempts,
  kind
FROM usage_event AS e
LEFT ARRAY JOIN
  arrayEnumerate(e.attempt.provider) AS number,
  e.attempt.provider AS a_provider,
  e.attempt.model AS a_model,
  e.attempt.text_input_tokens AS a_text_input,
  e.attempt.cache_read_tokens AS a_cache_read,
  e.attempt.cache_write_5m_tokens AS a_cache_write_5m,
  e.attempt.cache_write_1h_tokens AS a_cache_write_1h,
  e.attempt.audio_input_tokens AS a_audio_input,
  e.attempt.text_output_tokens AS a_text_output,
  e.attempt.reasoning_tokens AS a_reasoning,
  e.attempt.audio_output_tokens AS a_audio_output,
  e.attempt.cost_usd AS a_cost_usd
GROUP BY day, project_id, key_id, route, provider, model, kind;

CREATE OR REPLACE VIEW latency_hourly ON CLUSTER 'weir' DEFINER = report_definer SQL SECURITY DEFINER AS
SELECT
  toStartOfHour(started_at, 'UTC') AS hour,
  route,
  provider,
  model,
  streamed,
  count() AS requests,
  countIf(outcome NOT IN ('ok', 'client_closed')) AS errors,
  toInt64(quantileTDigestOrNullIf(0.5)(duration_us, outcome != 'refused')) AS duration_p50_us,
  toInt64(quantileTDigestOrNullIf(0.95)(duration_us, outcome != 'refused')) AS duration_p95_us,
  toInt64(quantileTDigestOrNullIf(0.99)(duration_us, outcome != 'refused')) AS duration_p99_us,
  toInt64(quantileTDigestOrNullIf(0.5)(time_to_first_token_us, outcome != 'refused')) AS time_to_first_token_p50_us,
  toInt64(quantileTDigestOrNullIf(0.95)(time_to_first_token_us, outcome != 'refused')) AS time_to_first_token_p95_us,
  toInt64(quantileTDigestOrNullIf(0.5)(overhead_us, outcome != 'refused')) AS overhead_p50_us,
  toInt64(quantileTDigestOrNullIf(0.95)(overhead_us, outcome != 'refused')) AS overhead_p95_us
FROM usage_event
WHERE kind = 'request'
GROUP BY hour, route, provider, model, streamed;

CREATE OR REPLACE VIEW completeness ON CLUSTER 'weir' DEFINER = report_definer SQL SECURITY DEFINER AS
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
