-- One row per batch whose blocks are confirmed. It outlives usage_event's TTL.
CREATE TABLE IF NOT EXISTS usage_range (
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
ENGINE = MergeTree
ORDER BY (organization_id, agent_id, boot, first_seq)
SETTINGS non_replicated_deduplication_window = 10000;

-- The highest number each boot said it gave out, copied from the registry.
CREATE TABLE IF NOT EXISTS agent_tail (
  organization_id UUID,
  gateway_id UUID,
  agent_id UUID,
  boot LowCardinality(String),
  last_seq Int64,
  closed Bool,
  copied_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(last_seq)
ORDER BY (organization_id, agent_id, boot, closed)
