DROP TABLE ingest_dead;
DROP INDEX ingest_claim_age;
REVOKE DELETE ON ingest_claim FROM weir_system;
ALTER TABLE ingest_boot DROP COLUMN merged;
ALTER TABLE ingest_block
  DROP COLUMN judged_at,
  DROP COLUMN refused_offsets,
  DROP COLUMN refused_seqs;
