-- One row per request, written once, never changed. Attempts are arrays of the
-- same row and not a table of their own: a block is one insert into one part, so
-- a request and its attempts are there together or not at all.
CREATE TABLE IF NOT EXISTS usage_event ON CLUSTER 'weir' (
  organization_id UUID,
  gateway_id UUID,
  agent_id UUID,
  boot LowCardinality(String),
  seq Int64,

  request_id UUID,
  surface LowCardinality(String),
  started_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  duration_us Int64 CODEC(ZSTD(1)),
  time_to_first_token_us Nullable(Int64) CODEC(ZSTD(1)),
  overhead_us Int64 CODEC(ZSTD(1)),
  project_id UUID,
  key_id UUID,
  route_id UUID,
  route LowCardinality(String),
  streamed Bool,
  outcome LowCardinality(String),
  status UInt16,
  error_code LowCardinality(String),
  policy_epoch Int64,
  policy_version Int64,
  revocation_version Int64,
  torn_boot LowCardinality(String),
  torn_local_id Int64,

  -- Of the last attempt, empty without one.
  provider LowCardinality(String),
  model LowCardinality(String),
  price_book_version LowCardinality(String),
  -- Sums over the attempts.
  text_input_tokens Int64,
  cache_read_tokens Int64,
  cache_write_5m_tokens Int64,
  cache_write_1h_tokens Int64,
  audio_input_tokens Int64,
  text_output_tokens Int64,
  reasoning_tokens Int64,
  audio_output_tokens Int64,
  -- NULL: an attempt is unpriced.
  cost_usd Nullable(Decimal(18, 9)),
  -- Of the attempts that are priced.
  priced_cost_usd Decimal(18, 9),
  estimated Bool,

  attempt Nested (
    provider_id UUID,
    provider LowCardinality(String),
    model LowCardinality(String),
    started_after_us Int64,
    duration_us Int64,
    time_to_first_token_us Nullable(Int64),
    status UInt16,
    outcome LowCardinality(String),
    text_input_tokens Int64,
    cache_read_tokens Int64,
    cache_write_5m_tokens Int64,
    cache_write_1h_tokens Int64,
    audio_input_tokens Int64,
    text_output_tokens Int64,
    reasoning_tokens Int64,
    audio_output_tokens Int64,
    usage_source LowCardinality(String),
    cost_usd Nullable(Decimal(18, 9)),
    price_book_version LowCardinality(String),
    raw_usage_sha256 String
  ),

  kafka_topic_id UUID,
  kafka_partition Int32,
  kafka_offset Int64 CODEC(Delta, ZSTD(1)),
  -- Until when, by this server's clock, the writer may insert the row: a paused
  -- writer's late insert is refused here, whatever happened meanwhile.
  lease_until DateTime('UTC') CODEC(Delta, ZSTD(1)),

  INDEX kafka_offset kafka_offset TYPE minmax GRANULARITY 1,
  INDEX request_id request_id TYPE bloom_filter GRANULARITY 4,
  CONSTRAINT lease_not_over CHECK lease_until > nowInBlock()
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
PARTITION BY toYYYYMM(started_at)
ORDER BY (organization_id, started_at, request_id)
TTL toDateTime(started_at) + INTERVAL 13 MONTH
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 3153600000, ttl_only_drop_parts = 1
