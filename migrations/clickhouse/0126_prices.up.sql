-- In which service tier an attempt was served, as far as prices go by that, and whether its
-- cost is what another model's price comes to. Agents of before say neither.
ALTER TABLE usage_event
  ADD COLUMN IF NOT EXISTS `attempt.service_tier` Array(LowCardinality(String))
    DEFAULT arrayMap(p -> 'unspecified', `attempt.provider`) AFTER `attempt.cause`,
  ADD COLUMN IF NOT EXISTS `attempt.price_estimated` Array(Bool)
    DEFAULT arrayMap(p -> false, `attempt.provider`) AFTER `attempt.service_tier`;

CREATE OR REPLACE TABLE usage_trial AS usage_event ENGINE = Null;

-- As in 0116, with both.
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
  a_price_estimated AS price_estimated
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
  e.attempt.price_estimated AS a_price_estimated
