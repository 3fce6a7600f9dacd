-- One row per batch whose blocks are confirmed. It outlives usage_event's TTL.
CREATE TABLE IF NOT EXISTS usage_range ON CLUSTER 'weir' (
  organization_id UUID,
  gateway_id UUID,
  agent_id UUID,
  boot LowCardinality(String),
  first_seq Int64,
  last_seq Int64,
  payload_sha256 FixedString(32),
  kafka_topic_id UUID,
  kafka_partition Int32,
  kafka_offset Int64,
  settled_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC'),
  INDEX kafka_offset kafka_offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}')
ORDER BY (organization_id, agent_id, boot, first_seq)
SETTINGS replicated_deduplication_window = 10000, replicated_deduplication_window_seconds = 3153600000;

-- The highest number each boot said it gave out, copied from the registry.
CREATE TABLE IF NOT EXISTS agent_tail ON CLUSTER 'weir' (
  organization_id UUID,
  gateway_id UUID,
  agent_id UUID,
  boot LowCardinality(String),
  last_seq Int64,
  closed Bool,
  copied_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', last_seq)
ORDER BY (organization_id, agent_id, boot, closed)
