-- What re-rates found other than it was recorded: docs/decisions/024. usage_event never
-- changes. An attempt's corrected cost is what it was recorded with and the sum of the
-- differences of its entries.
CREATE TABLE IF NOT EXISTS usage_correction (
  organization_id UUID,
  rerate_id UUID,
  -- Which attempt, of which row: a request that two boots report has two.
  started_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  request_id UUID,
  boot LowCardinality(String),
  seq Int64,
  attempt UInt16,

  -- What spend is grouped by, as the row has it.
  kind LowCardinality(String),
  project_id UUID,
  key_id UUID,
  route LowCardinality(String),
  labels Map(LowCardinality(String), String) CODEC(ZSTD(1)),
  last_model LowCardinality(String),
  provider_id UUID,
  provider LowCardinality(String),
  model LowCardinality(String),

  -- NULL: it had no price.
  old_cost_usd Nullable(Decimal(18, 9)),
  new_cost_usd Decimal(18, 9),
  difference_usd Decimal(18, 9),
  first_price Bool,
  price_book_version LowCardinality(String),
  corrected_at DateTime('UTC') DEFAULT now(),

  INDEX request_id request_id TYPE bloom_filter GRANULARITY 4,
  PROJECTION corrections_day (
    SELECT organization_id, toDate(started_at, 'UTC'), kind, project_id, key_id, route, provider, model, sum(difference_usd), countIf(first_price)
    GROUP BY organization_id, toDate(started_at, 'UTC'), kind, project_id, key_id, route, provider, model
  )
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(started_at)
ORDER BY (organization_id, started_at, request_id, boot, seq, attempt, rerate_id)
TTL toDateTime(started_at) + INTERVAL 13 MONTH
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1;

CREATE OR REPLACE VIEW corrections DEFINER = report_definer SQL SECURITY DEFINER AS
SELECT
  rerate_id,
  request_id,
  attempt,
  started_at AS request_started_at,
  kind,
  project_id,
  key_id,
  route,
  labels,
  provider_id,
  provider,
  model,
  old_cost_usd,
  new_cost_usd,
  difference_usd,
  price_book_version,
  corrected_at,
  boot,
  seq,
  toStartOfHour(started_at, 'UTC') AS hour,
  toDate(started_at, 'UTC') AS day
FROM usage_correction
