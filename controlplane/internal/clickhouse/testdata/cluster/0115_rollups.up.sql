-- What the provider's prompt cache saved: NULL where it read and wrote nothing, where an
-- attempt is unpriced, and of agents from before.
ALTER TABLE usage_event ON CLUSTER 'weir'
  ADD COLUMN IF NOT EXISTS `attempt.cache_saved_usd` Array(Nullable(Decimal(18, 9)))
    DEFAULT arrayMap(p -> NULL, `attempt.provider`) AFTER `attempt.cost_usd`;

-- What rollups count and divide by. Columns of their own, since an aggregate over an
-- expression that ClickHouse rewrites (IS NULL, length, !=) is not looked for in projections.
ALTER TABLE usage_event ON CLUSTER 'weir'
  ADD COLUMN IF NOT EXISTS failed Bool MATERIALIZED outcome NOT IN ('ok', 'client_closed'),
  ADD COLUMN IF NOT EXISTS served Bool MATERIALIZED outcome != 'refused',
  ADD COLUMN IF NOT EXISTS unpriced Bool MATERIALIZED isNull(cost_usd),
  ADD COLUMN IF NOT EXISTS attempts UInt16 MATERIALIZED length(attempt.provider),
  ADD COLUMN IF NOT EXISTS cache_saved_usd Decimal(18, 9) MATERIALIZED arraySum(arrayMap(c -> ifNull(c, toDecimal64(0, 9)), `attempt.cache_saved_usd`)) CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS has_first_token Bool MATERIALIZED isNotNull(time_to_first_token_us) AND outcome != 'refused',
  ADD COLUMN IF NOT EXISTS first_token_us Int64 MATERIALIZED ifNull(time_to_first_token_us, 0) CODEC(ZSTD(1)),
  -- Of whole streams whose provider said how many tokens they had: the mean time from one
  -- token of the text to the next, of which there is one fewer than tokens.
  ADD COLUMN IF NOT EXISTS has_inter_token Bool MATERIALIZED streamed AND outcome = 'ok' AND isNotNull(time_to_first_token_us)
    AND attempt.usage_source[-1] = 'reported' AND attempt.text_output_tokens[-1] > 1,
  ADD COLUMN IF NOT EXISTS inter_token_us Int64 MATERIALIZED if(has_inter_token,
    intDiv(duration_us - ifNull(time_to_first_token_us, 0), greatest(attempt.text_output_tokens[-1] - 1, 1)), 0) CODEC(ZSTD(1));

CREATE OR REPLACE TABLE usage_trial ON CLUSTER 'weir' AS usage_event ENGINE = Null;

-- Rollups inside of the parts: written with the rows, merged with them, dropped with them.
-- A part without them, of before, is read by its rows.
ALTER TABLE usage_event ON CLUSTER 'weir'
  ADD PROJECTION IF NOT EXISTS keys_hour (
    SELECT organization_id, toStartOfHour(started_at, 'UTC'), kind, project_id, key_id, route,
      count(), sum(priced_cost_usd), sum(text_input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + audio_input_tokens),
      sum(text_output_tokens + reasoning_tokens + audio_output_tokens), countIf(unpriced), countIf(failed), countIf(served), countIf(estimated),
      sum(attempts), sum(cache_saved_usd), sum(text_input_tokens), sum(cache_read_tokens), sum(cache_write_5m_tokens), sum(cache_write_1h_tokens),
      sum(audio_input_tokens), sum(text_output_tokens), sum(reasoning_tokens), sum(audio_output_tokens), sum(lost_requests), sum(lost_shadows),
      sum(lost_attempts), sum(lost_unpriced_attempts)
    GROUP BY organization_id, toStartOfHour(started_at, 'UTC'), kind, project_id, key_id, route
  ),
  ADD PROJECTION IF NOT EXISTS routes_hour (
    SELECT organization_id, toStartOfHour(started_at, 'UTC'), kind, route,
      count(), sum(priced_cost_usd), sum(text_input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + audio_input_tokens),
      sum(text_output_tokens + reasoning_tokens + audio_output_tokens), countIf(unpriced), countIf(failed), countIf(served), countIf(estimated),
      sum(attempts), sum(cache_saved_usd), sum(cache_read_tokens), quantileDDIf(0.01, 0.5)(duration_us, served), quantileDDIf(0.01, 0.5)(first_token_us, has_first_token),
      quantileDDIf(0.01, 0.5)(inter_token_us, has_inter_token), quantileDDIf(0.01, 0.5)(overhead_us, served)
    GROUP BY organization_id, toStartOfHour(started_at, 'UTC'), kind, route
  ),
  ADD PROJECTION IF NOT EXISTS targets_hour (
    SELECT organization_id, toStartOfHour(started_at, 'UTC'), kind, route, provider, model, surface, streamed, outcome, error_code, status,
      count(), sum(priced_cost_usd), sum(text_input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + audio_input_tokens),
      sum(text_output_tokens + reasoning_tokens + audio_output_tokens), countIf(unpriced), countIf(failed), countIf(served), countIf(estimated),
      sum(attempts), sum(cache_saved_usd), sum(cache_read_tokens), quantileDDIf(0.01, 0.5)(duration_us, served), quantileDDIf(0.01, 0.5)(first_token_us, has_first_token),
      quantileDDIf(0.01, 0.5)(inter_token_us, has_inter_token), quantileDDIf(0.01, 0.5)(overhead_us, served)
    GROUP BY organization_id, toStartOfHour(started_at, 'UTC'), kind, route, provider, model, surface, streamed, outcome, error_code, status
  ),
  ADD PROJECTION IF NOT EXISTS targets_day (
    SELECT organization_id, toDate(started_at, 'UTC'), kind, route, provider, model, surface, streamed, outcome, error_code, status,
      count(), sum(priced_cost_usd), sum(text_input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + audio_input_tokens),
      sum(text_output_tokens + reasoning_tokens + audio_output_tokens), countIf(unpriced), countIf(failed), countIf(served), countIf(estimated),
      sum(attempts), sum(cache_saved_usd), sum(cache_read_tokens), quantileDDIf(0.01, 0.5)(duration_us, served), quantileDDIf(0.01, 0.5)(first_token_us, has_first_token),
      quantileDDIf(0.01, 0.5)(inter_token_us, has_inter_token), quantileDDIf(0.01, 0.5)(overhead_us, served)
    GROUP BY organization_id, toDate(started_at, 'UTC'), kind, route, provider, model, surface, streamed, outcome, error_code, status
  ),
  ADD PROJECTION IF NOT EXISTS attempts_day (
    SELECT organization_id, toDate(started_at, 'UTC'), kind, project_id, key_id, route, attempt.provider, attempt.model,
      count(), sum(priced_cost_usd), sum(text_input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + audio_input_tokens),
      sum(text_output_tokens + reasoning_tokens + audio_output_tokens), sum(lost_requests), sum(lost_shadows), sum(lost_attempts),
      sum(lost_unpriced_attempts), sumForEach(attempt.text_input_tokens), sumForEach(attempt.cache_read_tokens),
      sumForEach(attempt.cache_write_5m_tokens), sumForEach(attempt.cache_write_1h_tokens), sumForEach(attempt.audio_input_tokens),
      sumForEach(attempt.text_output_tokens), sumForEach(attempt.reasoning_tokens), sumForEach(attempt.audio_output_tokens),
      sumForEach(attempt.cost_usd), sumForEach(attempt.cache_saved_usd), countForEach(attempt.cost_usd), countForEach(attempt.cache_saved_usd)
    GROUP BY organization_id, toDate(started_at, 'UTC'), kind, project_id, key_id, route, attempt.provider, attempt.model
  ),
  ADD PROJECTION IF NOT EXISTS models_day (
    SELECT organization_id, toDate(started_at, 'UTC'), kind, project_id, route, attempt.provider, attempt.model,
      count(), sum(priced_cost_usd), sum(text_input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + audio_input_tokens),
      sum(text_output_tokens + reasoning_tokens + audio_output_tokens), sum(lost_requests), sum(lost_shadows), sum(lost_attempts),
      sum(lost_unpriced_attempts), sumForEach(attempt.text_input_tokens), sumForEach(attempt.cache_read_tokens),
      sumForEach(attempt.cache_write_5m_tokens), sumForEach(attempt.cache_write_1h_tokens), sumForEach(attempt.audio_input_tokens),
      sumForEach(attempt.text_output_tokens), sumForEach(attempt.reasoning_tokens), sumForEach(attempt.audio_output_tokens),
      sumForEach(attempt.cost_usd), sumForEach(attempt.cache_saved_usd), countForEach(attempt.cost_usd), countForEach(attempt.cache_saved_usd)
    GROUP BY organization_id, toDate(started_at, 'UTC'), kind, project_id, route, attempt.provider, attempt.model
  ),
  ADD PROJECTION IF NOT EXISTS labels_day (
    SELECT organization_id, toDate(started_at, 'UTC'), kind, project_id, model, labels,
      count(), sum(priced_cost_usd), sum(text_input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + audio_input_tokens),
      sum(text_output_tokens + reasoning_tokens + audio_output_tokens), countIf(unpriced), countIf(failed), countIf(served), countIf(estimated),
      sum(attempts), sum(cache_saved_usd)
    GROUP BY organization_id, toDate(started_at, 'UTC'), kind, project_id, model, labels
  );

ALTER TABLE usage_event ON CLUSTER 'weir'
  MATERIALIZE PROJECTION keys_hour,
  MATERIALIZE PROJECTION routes_hour,
  MATERIALIZE PROJECTION targets_hour,
  MATERIALIZE PROJECTION targets_day,
  MATERIALIZE PROJECTION attempts_day,
  MATERIALIZE PROJECTION models_day,
  MATERIALIZE PROJECTION labels_day
