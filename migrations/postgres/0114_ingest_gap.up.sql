-- Numbers that are missing among those of a boot, and since when. Its agent gave them out:
-- higher ones are settled, or it said so.
CREATE TABLE ingest_gap (
  organization_id uuid NOT NULL,
  boot            text NOT NULL,
  agent_id        uuid NOT NULL,
  since           timestamptz NOT NULL,
  seqs            int8multirange NOT NULL CHECK (NOT isempty(seqs)),
  told            boolean NOT NULL DEFAULT false,
  PRIMARY KEY (organization_id, boot, since)
);
CALL isolate('ingest_gap');
GRANT SELECT, INSERT, UPDATE, DELETE ON ingest_gap TO weir_system;
