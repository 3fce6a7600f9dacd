-- When the slice was read: whether a record's time can be true is judged by it
-- on every retry. The refused records are those that ClickHouse did not take.
ALTER TABLE ingest_block
  ADD COLUMN judged_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN refused_offsets bigint[] NOT NULL DEFAULT '{}',
  ADD COLUMN refused_seqs bigint[] NOT NULL DEFAULT '{}',
  ADD CHECK (cardinality(refused_offsets) = cardinality(refused_seqs)),
  DROP CONSTRAINT ingest_block_rows_check,
  ADD CONSTRAINT ingest_block_rows_check CHECK (rows >= 0);

-- Ranges whose claims are settled and old are one here, without their hashes.
ALTER TABLE ingest_boot ADD COLUMN merged int8multirange NOT NULL DEFAULT '{}';
GRANT DELETE ON ingest_claim TO weir_system;
CREATE INDEX ingest_claim_age ON ingest_claim (claimed_at);

-- Numbers that a batch claimed and that are no rows: they lie in the dead-letter
-- topic. The same batch, sent again, may make rows of them once.
CREATE TABLE ingest_dead (
  organization_id  uuid NOT NULL,
  agent_id         uuid NOT NULL,
  boot             text NOT NULL,
  payload_sha256   bytea NOT NULL CHECK (length(payload_sha256) = 32),
  seqs             int8multirange NOT NULL,
  -- The record that is making rows of them now.
  revived_topic_id  uuid,
  revived_partition integer,
  revived_offset    bigint,
  noted_at         timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (agent_id, boot, payload_sha256),
  FOREIGN KEY (agent_id, boot) REFERENCES ingest_boot
);
CALL isolate('ingest_dead');
GRANT SELECT, INSERT, UPDATE, DELETE ON ingest_dead TO weir_system;
