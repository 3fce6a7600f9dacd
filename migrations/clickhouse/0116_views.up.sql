-- The public SQL contract: docs/sql.md. hour and day are what rollups are kept by: a query
-- of records or requests that names nothing finer is answered from them.
CREATE OR REPLACE VIEW requests DEFINER = report_definer SQL SECURITY DEFINER AS
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
  attempts,
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
  ) AS candidates,
  toStartOfHour(started_at, 'UTC') AS hour,
  toDate(started_at, 'UTC') AS day,
  failed,
  served,
  unpriced,
  has_first_token,
  first_token_us,
  has_inter_token,
  inter_token_us,
  cache_saved_usd
FROM usage_event
WHERE kind = 'request';

CREATE OR REPLACE VIEW records DEFINER = report_definer SQL SECURITY DEFINER AS
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
  attempts,
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
  ) AS candidates,
  toStartOfHour(started_at, 'UTC') AS hour,
  toDate(started_at, 'UTC') AS day,
  failed,
  served,
  unpriced,
  has_first_token,
  first_token_us,
  has_inter_token,
  inter_token_us,
  cache_saved_usd,
  parent_request_id,
  lost_requests,
  lost_shadows,
  lost_attempts,
  lost_unpriced_attempts
FROM usage_event;

CREATE OR REPLACE VIEW attempts DEFINER = report_definer SQL SECURITY DEFINER AS
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
  labels,
  toStartOfHour(e.started_at, 'UTC') AS hour,
  toDate(e.started_at, 'UTC') AS day,
  a_cache_saved_usd AS cache_saved_usd
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
  e.attempt.cache_saved_usd AS a_cache_saved_usd,
  e.attempt.price_book_version AS a_price_book_version,
  e.attempt.raw_usage_sha256 AS a_raw_usage_sha256,
  e.attempt.cause AS a_cause;

CREATE OR REPLACE VIEW spend_daily DEFINER = report_definer SQL SECURITY DEFINER AS
SELECT
  day,
  project_id,
  key_id,
  route,
  provider,
  model,
  -- A request counts where its last attempt went.
  sum(if(kind = 'request' AND number = length(providers), n, 0)) AS requests,
  sum(if(number > 0, n, 0)) AS attempts,
  -- A loss has no attempts: its sums stand in the row.
  sum(if(number > 0, a_text_input_tokens + a_cache_read_tokens + a_cache_write_5m_tokens + a_cache_write_1h_tokens + a_audio_input_tokens, row_input)) AS input_tokens,
  sum(if(number > 0, a_text_output_tokens + a_reasoning_tokens + a_audio_output_tokens, row_output)) AS output_tokens,
  sum(if(number > 0, ifNull(a_cost, 0), row_cost)) AS cost_usd,
  sum(if(number > 0, n - a_priced, 0)) AS unpriced_attempts,
  kind,
  sum(a_text_input_tokens) AS text_input_tokens,
  sum(a_cache_read_tokens) AS cache_read_tokens,
  sum(a_cache_write_5m_tokens) AS cache_write_5m_tokens,
  sum(a_cache_write_1h_tokens) AS cache_write_1h_tokens,
  sum(a_audio_input_tokens) AS audio_input_tokens,
  sum(a_text_output_tokens) AS text_output_tokens,
  sum(a_reasoning_tokens) AS reasoning_tokens,
  sum(a_audio_output_tokens) AS audio_output_tokens,
  sum(ifNull(a_saved, 0)) AS cache_saved_usd,
  sum(if(number > 0, 0, n_lost_requests)) AS lost_requests,
  sum(if(number > 0, 0, n_lost_shadows)) AS lost_shadows,
  sum(if(number > 0, 0, n_lost_attempts)) AS lost_attempts,
  sum(if(number > 0, 0, n_lost_unpriced)) AS lost_unpriced_attempts
FROM (
  SELECT
    toDate(started_at, 'UTC') AS day, kind, project_id, key_id, route, attempt.provider AS providers, attempt.model AS models,
    count() AS n, sum(priced_cost_usd) AS row_cost,
    sum(text_input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + audio_input_tokens) AS row_input,
    sum(text_output_tokens + reasoning_tokens + audio_output_tokens) AS row_output,
    sum(lost_requests) AS n_lost_requests, sum(lost_shadows) AS n_lost_shadows,
    sum(lost_attempts) AS n_lost_attempts, sum(lost_unpriced_attempts) AS n_lost_unpriced,
    sumForEach(attempt.text_input_tokens) AS s_text_input_tokens,
    sumForEach(attempt.cache_read_tokens) AS s_cache_read_tokens,
    sumForEach(attempt.cache_write_5m_tokens) AS s_cache_write_5m_tokens,
    sumForEach(attempt.cache_write_1h_tokens) AS s_cache_write_1h_tokens,
    sumForEach(attempt.audio_input_tokens) AS s_audio_input_tokens,
    sumForEach(attempt.text_output_tokens) AS s_text_output_tokens,
    sumForEach(attempt.reasoning_tokens) AS s_reasoning_tokens,
    sumForEach(attempt.audio_output_tokens) AS s_audio_output_tokens,
    sumForEach(attempt.cost_usd) AS s_cost, countForEach(attempt.cost_usd) AS s_priced,
    sumForEach(attempt.cache_saved_usd) AS s_saved
  FROM usage_event
  GROUP BY day, kind, project_id, key_id, route, providers, models
)
LEFT ARRAY JOIN
  arrayEnumerate(providers) AS number,
  providers AS provider,
  models AS model,
  s_text_input_tokens AS a_text_input_tokens,
  s_cache_read_tokens AS a_cache_read_tokens,
  s_cache_write_5m_tokens AS a_cache_write_5m_tokens,
  s_cache_write_1h_tokens AS a_cache_write_1h_tokens,
  s_audio_input_tokens AS a_audio_input_tokens,
  s_text_output_tokens AS a_text_output_tokens,
  s_reasoning_tokens AS a_reasoning_tokens,
  s_audio_output_tokens AS a_audio_output_tokens,
  s_cost AS a_cost,
  s_priced AS a_priced,
  s_saved AS a_saved
GROUP BY day, project_id, key_id, route, provider, model, kind;

-- As spend_daily, without keys: a tenth of the rows.
CREATE OR REPLACE VIEW spend_by_model DEFINER = report_definer SQL SECURITY DEFINER AS
SELECT
  day,
  project_id,
  route,
  provider,
  model,
  -- A request counts where its last attempt went.
  sum(if(kind = 'request' AND number = length(providers), n, 0)) AS requests,
  sum(if(number > 0, n, 0)) AS attempts,
  -- A loss has no attempts: its sums stand in the row.
  sum(if(number > 0, a_text_input_tokens + a_cache_read_tokens + a_cache_write_5m_tokens + a_cache_write_1h_tokens + a_audio_input_tokens, row_input)) AS input_tokens,
  sum(if(number > 0, a_text_output_tokens + a_reasoning_tokens + a_audio_output_tokens, row_output)) AS output_tokens,
  sum(if(number > 0, ifNull(a_cost, 0), row_cost)) AS cost_usd,
  sum(if(number > 0, n - a_priced, 0)) AS unpriced_attempts,
  kind,
  sum(a_text_input_tokens) AS text_input_tokens,
  sum(a_cache_read_tokens) AS cache_read_tokens,
  sum(a_cache_write_5m_tokens) AS cache_write_5m_tokens,
  sum(a_cache_write_1h_tokens) AS cache_write_1h_tokens,
  sum(a_audio_input_tokens) AS audio_input_tokens,
  sum(a_text_output_tokens) AS text_output_tokens,
  sum(a_reasoning_tokens) AS reasoning_tokens,
  sum(a_audio_output_tokens) AS audio_output_tokens,
  sum(ifNull(a_saved, 0)) AS cache_saved_usd,
  sum(if(number > 0, 0, n_lost_requests)) AS lost_requests,
  sum(if(number > 0, 0, n_lost_shadows)) AS lost_shadows,
  sum(if(number > 0, 0, n_lost_attempts)) AS lost_attempts,
  sum(if(number > 0, 0, n_lost_unpriced)) AS lost_unpriced_attempts
FROM (
  SELECT
    toDate(started_at, 'UTC') AS day, kind, project_id, route, attempt.provider AS providers, attempt.model AS models,
    count() AS n, sum(priced_cost_usd) AS row_cost,
    sum(text_input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + audio_input_tokens) AS row_input,
    sum(text_output_tokens + reasoning_tokens + audio_output_tokens) AS row_output,
    sum(lost_requests) AS n_lost_requests, sum(lost_shadows) AS n_lost_shadows,
    sum(lost_attempts) AS n_lost_attempts, sum(lost_unpriced_attempts) AS n_lost_unpriced,
    sumForEach(attempt.text_input_tokens) AS s_text_input_tokens,
    sumForEach(attempt.cache_read_tokens) AS s_cache_read_tokens,
    sumForEach(attempt.cache_write_5m_tokens) AS s_cache_write_5m_tokens,
    sumForEach(attempt.cache_write_1h_tokens) AS s_cache_write_1h_tokens,
    sumForEach(attempt.audio_input_tokens) AS s_audio_input_tokens,
    sumForEach(attempt.text_output_tokens) AS s_text_output_tokens,
    sumForEach(attempt.reasoning_tokens) AS s_reasoning_tokens,
    sumForEach(attempt.audio_output_tokens) AS s_audio_output_tokens,
    sumForEach(attempt.cost_usd) AS s_cost, countForEach(attempt.cost_usd) AS s_priced,
    sumForEach(attempt.cache_saved_usd) AS s_saved
  FROM usage_event
  GROUP BY day, kind, project_id, route, providers, models
)
LEFT ARRAY JOIN
  arrayEnumerate(providers) AS number,
  providers AS provider,
  models AS model,
  s_text_input_tokens AS a_text_input_tokens,
  s_cache_read_tokens AS a_cache_read_tokens,
  s_cache_write_5m_tokens AS a_cache_write_5m_tokens,
  s_cache_write_1h_tokens AS a_cache_write_1h_tokens,
  s_audio_input_tokens AS a_audio_input_tokens,
  s_text_output_tokens AS a_text_output_tokens,
  s_reasoning_tokens AS a_reasoning_tokens,
  s_audio_output_tokens AS a_audio_output_tokens,
  s_cost AS a_cost,
  s_priced AS a_priced,
  s_saved AS a_saved
GROUP BY day, project_id, route, provider, model, kind;

-- A request with several labels counts under each.
CREATE OR REPLACE VIEW spend_by_label DEFINER = report_definer SQL SECURITY DEFINER AS
SELECT
  day,
  label,
  value,
  project_id,
  model,
  kind,
  sum(n) AS records,
  sum(n_attempts) AS attempts,
  sum(input) AS input_tokens,
  sum(output) AS output_tokens,
  sum(cost) AS cost_usd,
  sum(n_unpriced) AS unpriced_records,
  sum(saved) AS cache_saved_usd
FROM (
  SELECT
    toDate(started_at, 'UTC') AS day, kind, project_id, model, labels,
    count() AS n, sum(attempts) AS n_attempts,
    sum(text_input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + audio_input_tokens) AS input,
    sum(text_output_tokens + reasoning_tokens + audio_output_tokens) AS output,
    sum(priced_cost_usd) AS cost, countIf(unpriced) AS n_unpriced, sum(cache_saved_usd) AS saved
  FROM usage_event
  GROUP BY day, kind, project_id, model, labels
)
ARRAY JOIN
  mapKeys(labels) AS label,
  mapValues(labels) AS value
GROUP BY day, label, value, project_id, model, kind;

-- What the agent refused itself waited for nobody: it counts, and has no latency.
CREATE OR REPLACE VIEW latency_hourly DEFINER = report_definer SQL SECURITY DEFINER AS
SELECT
  toStartOfHour(started_at, 'UTC') AS hour,
  route,
  provider,
  model,
  streamed,
  count() AS requests,
  countIf(failed) AS errors,
  accurateCastOrNull(round(quantileDDIf(0.01, 0.50)(duration_us, served)), 'Int64') AS duration_p50_us,
  accurateCastOrNull(round(quantileDDIf(0.01, 0.95)(duration_us, served)), 'Int64') AS duration_p95_us,
  accurateCastOrNull(round(quantileDDIf(0.01, 0.99)(duration_us, served)), 'Int64') AS duration_p99_us,
  accurateCastOrNull(round(quantileDDIf(0.01, 0.50)(first_token_us, has_first_token)), 'Int64') AS time_to_first_token_p50_us,
  accurateCastOrNull(round(quantileDDIf(0.01, 0.95)(first_token_us, has_first_token)), 'Int64') AS time_to_first_token_p95_us,
  accurateCastOrNull(round(quantileDDIf(0.01, 0.99)(first_token_us, has_first_token)), 'Int64') AS time_to_first_token_p99_us,
  accurateCastOrNull(round(quantileDDIf(0.01, 0.50)(overhead_us, served)), 'Int64') AS overhead_p50_us,
  accurateCastOrNull(round(quantileDDIf(0.01, 0.95)(overhead_us, served)), 'Int64') AS overhead_p95_us,
  accurateCastOrNull(round(quantileDDIf(0.01, 0.99)(overhead_us, served)), 'Int64') AS overhead_p99_us,
  accurateCastOrNull(round(quantileDDIf(0.01, 0.50)(inter_token_us, has_inter_token)), 'Int64') AS inter_token_p50_us,
  accurateCastOrNull(round(quantileDDIf(0.01, 0.95)(inter_token_us, has_inter_token)), 'Int64') AS inter_token_p95_us,
  accurateCastOrNull(round(quantileDDIf(0.01, 0.99)(inter_token_us, has_inter_token)), 'Int64') AS inter_token_p99_us
FROM usage_event
WHERE kind = 'request'
GROUP BY hour, route, provider, model, streamed;

CREATE OR REPLACE VIEW errors_hourly DEFINER = report_definer SQL SECURITY DEFINER AS
SELECT
  toStartOfHour(started_at, 'UTC') AS hour,
  route,
  provider,
  model,
  outcome,
  error_code,
  status,
  count() AS requests
FROM usage_event
WHERE kind = 'request' AND outcome != 'ok' AND outcome != 'client_closed'
GROUP BY hour, route, provider, model, outcome, error_code, status;

-- What attempts cost, and what they would have cost without the provider's prompt cache. Of
-- attempts that used it and whose saving is not known, only the tokens count.
CREATE OR REPLACE VIEW cache_savings DEFINER = report_definer SQL SECURITY DEFINER AS
SELECT
  day,
  project_id,
  route,
  provider,
  model,
  kind,
  sum(n) AS attempts,
  sum(a_saving) AS cached_attempts,
  sum(a_text_input_tokens + a_cache_read_tokens + a_cache_write_5m_tokens + a_cache_write_1h_tokens + a_audio_input_tokens) AS input_tokens,
  sum(a_cache_read_tokens) AS cache_read_tokens,
  sum(a_cache_write_5m_tokens + a_cache_write_1h_tokens) AS cache_write_tokens,
  sum(ifNull(a_cost, 0)) AS cost_usd,
  sum(ifNull(a_saved, 0)) AS cache_saved_usd,
  cost_usd + cache_saved_usd AS uncached_cost_usd
FROM (
  SELECT
    toDate(started_at, 'UTC') AS day, kind, project_id, route, attempt.provider AS providers, attempt.model AS models,
    count() AS n,
    sumForEach(attempt.text_input_tokens) AS s_text_input_tokens,
    sumForEach(attempt.cache_read_tokens) AS s_cache_read_tokens,
    sumForEach(attempt.cache_write_5m_tokens) AS s_cache_write_5m_tokens,
    sumForEach(attempt.cache_write_1h_tokens) AS s_cache_write_1h_tokens,
    sumForEach(attempt.audio_input_tokens) AS s_audio_input_tokens,
    sumForEach(attempt.cost_usd) AS s_cost,
    sumForEach(attempt.cache_saved_usd) AS s_saved, countForEach(attempt.cache_saved_usd) AS s_saving
  FROM usage_event
  GROUP BY day, kind, project_id, route, providers, models
)
ARRAY JOIN
  providers AS provider,
  models AS model,
  s_text_input_tokens AS a_text_input_tokens,
  s_cache_read_tokens AS a_cache_read_tokens,
  s_cache_write_5m_tokens AS a_cache_write_5m_tokens,
  s_cache_write_1h_tokens AS a_cache_write_1h_tokens,
  s_audio_input_tokens AS a_audio_input_tokens,
  s_cost AS a_cost,
  s_saved AS a_saved,
  s_saving AS a_saving
GROUP BY day, project_id, route, provider, model, kind;

-- As in 0095, and what agents lost: numbers are complete without it, and it is said.
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
  sum(seen) - sum(known) AS of_revoked_agent,
  sum(l_requests) AS lost_requests,
  sum(l_shadows) AS lost_shadows,
  sum(l_attempts) AS lost_attempts,
  sum(l_unpriced) AS lost_unpriced_attempts,
  sum(l_cost) AS lost_cost_usd,
  CAST(lost_requests = 0 AND lost_shadows = 0 AND lost_attempts = 0, 'Bool') AS lossless
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
    0 AS distinct_rows,
    0 AS l_requests, 0 AS l_shadows, 0 AS l_attempts, 0 AS l_unpriced, toDecimal128(0, 9) AS l_cost
  FROM usage_range
  GROUP BY boot
  UNION ALL
  SELECT argMax(gateway_id, copied_at), argMax(agent_id, copied_at), boot, max(last_seq), max(closed), [], [], [], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
  FROM agent_tail
  GROUP BY boot
  UNION ALL
  SELECT any(gateway_id), any(agent_id), boot, 0, false, [], [], [], 0, 0, 0, 0, 0, count(), uniqExact(seq),
    sum(lost_requests), sum(lost_shadows), sum(lost_attempts), sum(lost_unpriced_attempts), sumIf(priced_cost_usd, kind = 'tombstone')
  FROM usage_event
  GROUP BY boot
)
GROUP BY boot_id
