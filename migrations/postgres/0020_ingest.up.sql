-- What ingest knows of each partition of the usage topic. The topic's id, not its
-- name: a topic made anew starts anew.
CREATE TABLE ingest_partition (
  topic_id    uuid NOT NULL,
  partition   integer NOT NULL,
  -- Everything before it is settled or was put aside.
  next_offset bigint NOT NULL CHECK (next_offset >= 0),
  owner       uuid NOT NULL,
  owned_until timestamptz NOT NULL,
  PRIMARY KEY (topic_id, partition)
);
GRANT SELECT, INSERT, UPDATE ON ingest_partition TO weir_system;

-- Blocks that were noted and are not done: their rows may or may not be in
-- ClickHouse. All blocks of a partition here are of one slice of offsets.
CREATE TABLE ingest_block (
  topic_id     uuid NOT NULL,
  partition    integer NOT NULL,
  first_offset bigint NOT NULL,
  last_offset  bigint NOT NULL CHECK (last_offset >= first_offset),
  -- 202611
  month        integer NOT NULL,
  rows         integer NOT NULL CHECK (rows > 0),
  token        text NOT NULL,
  -- By ClickHouse's clock: no insert of an earlier attempt succeeds after it.
  lease_until  timestamptz NOT NULL,
  PRIMARY KEY (topic_id, partition, month),
  FOREIGN KEY (topic_id, partition) REFERENCES ingest_partition
);
GRANT SELECT, INSERT, UPDATE, DELETE ON ingest_block TO weir_system;

-- One start of an agent. Its row's lock puts claims of its ranges in order.
CREATE TABLE ingest_boot (
  organization_id uuid NOT NULL,
  gateway_id      uuid NOT NULL,
  agent_id        uuid NOT NULL,
  boot            text NOT NULL,
  -- The key that its batches were verified with.
  public_key      bytea NOT NULL CHECK (length(public_key) = 32),
  -- Sequence numbers that are safe in ClickHouse.
  settled         int8multirange NOT NULL DEFAULT '{}',
  PRIMARY KEY (agent_id, boot)
);
CALL isolate('ingest_boot');
GRANT SELECT, INSERT, UPDATE ON ingest_boot TO weir_system;

-- Which Kafka record a range of a boot was taken from. Ranges never overlap.
CREATE TABLE ingest_claim (
  organization_id uuid NOT NULL,
  agent_id        uuid NOT NULL,
  boot            text NOT NULL,
  first_seq       bigint NOT NULL CHECK (first_seq > 0),
  last_seq        bigint NOT NULL CHECK (last_seq >= first_seq),
  payload_sha256  bytea NOT NULL CHECK (length(payload_sha256) = 32),
  topic_id        uuid NOT NULL,
  partition       integer NOT NULL,
  kafka_offset    bigint NOT NULL,
  claimed_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (agent_id, boot, first_seq),
  FOREIGN KEY (agent_id, boot) REFERENCES ingest_boot
);
CALL isolate('ingest_claim');
GRANT SELECT, INSERT ON ingest_claim TO weir_system;
