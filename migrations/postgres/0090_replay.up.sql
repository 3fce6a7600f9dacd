-- Batches that an operator says are genuine although their agent was revoked: who
-- replays dead letters writes them. Nothing that an agent can send does.
CREATE TABLE ingest_accepted (
  organization_id uuid NOT NULL,
  agent_id        uuid NOT NULL,
  boot            text NOT NULL,
  payload_sha256  bytea NOT NULL CHECK (length(payload_sha256) = 32),
  accepted_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (agent_id, boot, payload_sha256)
);
CALL isolate('ingest_accepted');
GRANT SELECT, INSERT ON ingest_accepted TO weir_system;
