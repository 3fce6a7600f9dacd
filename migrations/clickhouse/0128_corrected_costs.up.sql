-- As in 0116 and 0126, with what usage costs by the corrections of re-rates beside what it was
-- recorded with.
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
  cache_saved_usd,
  -- As cost_usd and priced_cost_usd, with all corrections: each costs a join where it is asked for, and nothing elsewhere.
  -- They name what they join by, which ClickHouse 26.7 loses behind a WHERE otherwise.
  arrayMap(
    entries -> if(isNull(cost_usd) AND (length(attempt.provider) = 0 OR arrayCount(x -> isNull(x), attempt.cost_usd) > entries[2]), NULL, priced_cost_usd + ignore(request_id, boot, seq) + entries[1]),
    [(SELECT [sum(c.difference_usd), toDecimal128(countIf(c.first_price), 9)] FROM usage_correction AS c WHERE c.request_id = e.request_id AND c.boot = e.boot AND c.seq = e.seq)]
  )[1] AS corrected_cost_usd,
  priced_cost_usd + ignore(request_id, boot, seq) + (SELECT [sum(c.difference_usd), toDecimal128(countIf(c.first_price), 9)] FROM usage_correction AS c WHERE c.request_id = e.request_id AND c.boot = e.boot AND c.seq = e.seq)[1] AS corrected_priced_cost_usd
FROM usage_event AS e
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
  lost_unpriced_attempts,
  -- As cost_usd and priced_cost_usd, with all corrections: each costs a join where it is asked for, and nothing elsewhere.
  -- They name what they join by, which ClickHouse 26.7 loses behind a WHERE otherwise.
  arrayMap(
    entries -> if(isNull(cost_usd) AND (length(attempt.provider) = 0 OR arrayCount(x -> isNull(x), attempt.cost_usd) > entries[2]), NULL, priced_cost_usd + ignore(request_id, boot, seq) + entries[1]),
    [(SELECT [sum(c.difference_usd), toDecimal128(countIf(c.first_price), 9)] FROM usage_correction AS c WHERE c.request_id = e.request_id AND c.boot = e.boot AND c.seq = e.seq)]
  )[1] AS corrected_cost_usd,
  priced_cost_usd + ignore(request_id, boot, seq) + (SELECT [sum(c.difference_usd), toDecimal128(countIf(c.first_price), 9)] FROM usage_correction AS c WHERE c.request_id = e.request_id AND c.boot = e.boot AND c.seq = e.seq)[1] AS corrected_priced_cost_usd,
  lease_until AS stored_by
FROM usage_event AS e;

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
  a_cache_saved_usd AS cache_saved_usd,
  a_service_tier AS service_tier,
  a_price_estimated AS price_estimated,
  -- As cost_usd, with all corrections: NULL where neither priced it.
  arrayReduce('sumOrNull', [a_cost_usd, (SELECT sum(c.difference_usd) FROM usage_correction AS c WHERE c.request_id = e.request_id AND c.boot = e.boot AND c.seq = e.seq AND c.attempt = number)]) AS corrected_cost_usd,
  boot,
  seq,
  policy_version,
  e.model AS last_model,
  lease_until AS stored_by
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
  e.attempt.cause AS a_cause,
  e.attempt.service_tier AS a_service_tier,
  e.attempt.price_estimated AS a_price_estimated;

CREATE OR REPLACE VIEW spend_daily DEFINER = report_definer SQL SECURITY DEFINER AS
SELECT
  day,
  project_id,
  key_id,
  route,
  provider,
  model,
  sum(all_requests) AS requests,
  sum(all_attempts) AS attempts,
  sum(all_input_tokens) AS input_tokens,
  sum(all_output_tokens) AS output_tokens,
  sum(all_cost_usd) AS cost_usd,
  sum(all_unpriced_attempts) AS unpriced_attempts,
  kind,
  sum(all_text_input_tokens) AS text_input_tokens,
  sum(all_cache_read_tokens) AS cache_read_tokens,
  sum(all_cache_write_5m_tokens) AS cache_write_5m_tokens,
  sum(all_cache_write_1h_tokens) AS cache_write_1h_tokens,
  sum(all_audio_input_tokens) AS audio_input_tokens,
  sum(all_text_output_tokens) AS text_output_tokens,
  sum(all_reasoning_tokens) AS reasoning_tokens,
  sum(all_audio_output_tokens) AS audio_output_tokens,
  sum(all_cache_saved_usd) AS cache_saved_usd,
  sum(all_lost_requests) AS lost_requests,
  sum(all_lost_shadows) AS lost_shadows,
  sum(all_lost_attempts) AS lost_attempts,
  sum(all_lost_unpriced_attempts) AS lost_unpriced_attempts,
  -- With all corrections.
  sum(all_cost_usd) + sum(all_differences) AS corrected_cost_usd,
  toInt64(sum(all_unpriced_attempts)) - toInt64(sum(all_first_prices)) AS corrected_unpriced_attempts
FROM (
  SELECT
    day,
    project_id,
    key_id,
    route,
    provider,
    model,
    -- A request counts where its last attempt went.
    sum(if(kind = 'request' AND number = length(providers), n, 0)) AS all_requests,
    sum(if(number > 0, n, 0)) AS all_attempts,
    -- A loss has no attempts: its sums stand in the row.
    sum(if(number > 0, a_text_input_tokens + a_cache_read_tokens + a_cache_write_5m_tokens + a_cache_write_1h_tokens + a_audio_input_tokens, row_input)) AS all_input_tokens,
    sum(if(number > 0, a_text_output_tokens + a_reasoning_tokens + a_audio_output_tokens, row_output)) AS all_output_tokens,
    sum(if(number > 0, ifNull(a_cost, 0), row_cost)) AS all_cost_usd,
    sum(if(number > 0, n - a_priced, 0)) AS all_unpriced_attempts,
    kind,
    sum(a_text_input_tokens) AS all_text_input_tokens,
    sum(a_cache_read_tokens) AS all_cache_read_tokens,
    sum(a_cache_write_5m_tokens) AS all_cache_write_5m_tokens,
    sum(a_cache_write_1h_tokens) AS all_cache_write_1h_tokens,
    sum(a_audio_input_tokens) AS all_audio_input_tokens,
    sum(a_text_output_tokens) AS all_text_output_tokens,
    sum(a_reasoning_tokens) AS all_reasoning_tokens,
    sum(a_audio_output_tokens) AS all_audio_output_tokens,
    sum(ifNull(a_saved, 0)) AS all_cache_saved_usd,
    sum(if(number > 0, 0, n_lost_requests)) AS all_lost_requests,
    sum(if(number > 0, 0, n_lost_shadows)) AS all_lost_shadows,
    sum(if(number > 0, 0, n_lost_attempts)) AS all_lost_attempts,
    sum(if(number > 0, 0, n_lost_unpriced)) AS all_lost_unpriced_attempts,
    toDecimal128(0, 9) AS all_differences,
    toUInt64(0) AS all_first_prices
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
  GROUP BY day, project_id, key_id, route, provider, model, kind
  UNION ALL
  SELECT
    toDate(started_at, 'UTC') AS day,
    project_id,
    key_id,
    route,
    provider,
    model,
    0, 0, 0, 0, 0, 0,
    kind,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    sum(difference_usd),
    countIf(first_price)
  FROM usage_correction
  GROUP BY day, project_id, key_id, route, provider, model, kind
)
GROUP BY day, project_id, key_id, route, provider, model, kind;

CREATE OR REPLACE VIEW spend_by_model DEFINER = report_definer SQL SECURITY DEFINER AS
SELECT
  day,
  project_id,
  route,
  provider,
  model,
  sum(all_requests) AS requests,
  sum(all_attempts) AS attempts,
  sum(all_input_tokens) AS input_tokens,
  sum(all_output_tokens) AS output_tokens,
  sum(all_cost_usd) AS cost_usd,
  sum(all_unpriced_attempts) AS unpriced_attempts,
  kind,
  sum(all_text_input_tokens) AS text_input_tokens,
  sum(all_cache_read_tokens) AS cache_read_tokens,
  sum(all_cache_write_5m_tokens) AS cache_write_5m_tokens,
  sum(all_cache_write_1h_tokens) AS cache_write_1h_tokens,
  sum(all_audio_input_tokens) AS audio_input_tokens,
  sum(all_text_output_tokens) AS text_output_tokens,
  sum(all_reasoning_tokens) AS reasoning_tokens,
  sum(all_audio_output_tokens) AS audio_output_tokens,
  sum(all_cache_saved_usd) AS cache_saved_usd,
  sum(all_lost_requests) AS lost_requests,
  sum(all_lost_shadows) AS lost_shadows,
  sum(all_lost_attempts) AS lost_attempts,
  sum(all_lost_unpriced_attempts) AS lost_unpriced_attempts,
  -- With all corrections.
  sum(all_cost_usd) + sum(all_differences) AS corrected_cost_usd,
  toInt64(sum(all_unpriced_attempts)) - toInt64(sum(all_first_prices)) AS corrected_unpriced_attempts
FROM (
  SELECT
    day,
    project_id,
    route,
    provider,
    model,
    -- A request counts where its last attempt went.
    sum(if(kind = 'request' AND number = length(providers), n, 0)) AS all_requests,
    sum(if(number > 0, n, 0)) AS all_attempts,
    -- A loss has no attempts: its sums stand in the row.
    sum(if(number > 0, a_text_input_tokens + a_cache_read_tokens + a_cache_write_5m_tokens + a_cache_write_1h_tokens + a_audio_input_tokens, row_input)) AS all_input_tokens,
    sum(if(number > 0, a_text_output_tokens + a_reasoning_tokens + a_audio_output_tokens, row_output)) AS all_output_tokens,
    sum(if(number > 0, ifNull(a_cost, 0), row_cost)) AS all_cost_usd,
    sum(if(number > 0, n - a_priced, 0)) AS all_unpriced_attempts,
    kind,
    sum(a_text_input_tokens) AS all_text_input_tokens,
    sum(a_cache_read_tokens) AS all_cache_read_tokens,
    sum(a_cache_write_5m_tokens) AS all_cache_write_5m_tokens,
    sum(a_cache_write_1h_tokens) AS all_cache_write_1h_tokens,
    sum(a_audio_input_tokens) AS all_audio_input_tokens,
    sum(a_text_output_tokens) AS all_text_output_tokens,
    sum(a_reasoning_tokens) AS all_reasoning_tokens,
    sum(a_audio_output_tokens) AS all_audio_output_tokens,
    sum(ifNull(a_saved, 0)) AS all_cache_saved_usd,
    sum(if(number > 0, 0, n_lost_requests)) AS all_lost_requests,
    sum(if(number > 0, 0, n_lost_shadows)) AS all_lost_shadows,
    sum(if(number > 0, 0, n_lost_attempts)) AS all_lost_attempts,
    sum(if(number > 0, 0, n_lost_unpriced)) AS all_lost_unpriced_attempts,
    toDecimal128(0, 9) AS all_differences,
    toUInt64(0) AS all_first_prices
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
  GROUP BY day, project_id, route, provider, model, kind
  UNION ALL
  SELECT
    toDate(started_at, 'UTC') AS day,
    project_id,
    route,
    provider,
    model,
    0, 0, 0, 0, 0, 0,
    kind,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    sum(difference_usd),
    countIf(first_price)
  FROM usage_correction
  GROUP BY day, project_id, route, provider, model, kind
)
GROUP BY day, project_id, route, provider, model, kind;

CREATE OR REPLACE VIEW spend_by_label DEFINER = report_definer SQL SECURITY DEFINER AS
SELECT
  day,
  label,
  value,
  project_id,
  model,
  kind,
  sum(all_records) AS records,
  sum(all_attempts) AS attempts,
  sum(all_input_tokens) AS input_tokens,
  sum(all_output_tokens) AS output_tokens,
  sum(all_cost_usd) AS cost_usd,
  sum(all_unpriced_records) AS unpriced_records,
  sum(all_cache_saved_usd) AS cache_saved_usd,
  -- With all corrections.
  sum(all_cost_usd) + sum(all_differences) AS corrected_cost_usd
FROM (
  SELECT
    day,
    label,
    value,
    project_id,
    model,
    kind,
    sum(n) AS all_records,
    sum(n_attempts) AS all_attempts,
    sum(input) AS all_input_tokens,
    sum(output) AS all_output_tokens,
    sum(cost) AS all_cost_usd,
    sum(n_unpriced) AS all_unpriced_records,
    sum(saved) AS all_cache_saved_usd,
    toDecimal128(0, 9) AS all_differences
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
  GROUP BY day, label, value, project_id, model, kind
  UNION ALL
  SELECT
    toDate(started_at, 'UTC') AS day,
    label,
    value,
    project_id,
    last_model AS model,
    kind,
    0, 0, 0, 0, 0, 0, 0,
    sum(difference_usd)
  FROM usage_correction
  ARRAY JOIN mapKeys(labels) AS label, mapValues(labels) AS value
  GROUP BY day, label, value, project_id, model, kind
)
GROUP BY day, label, value, project_id, model, kind
