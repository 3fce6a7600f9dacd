-- The older of the releases on an agent's disk: a revoked key that it may still have
-- living stays in the set of revocations. NULL: it did not say.
ALTER TABLE agent_status
  ADD COLUMN oldest_epoch   bigint,
  ADD COLUMN oldest_version bigint,
  -- What its build can serve; 0: it did not say.
  ADD COLUMN capability     integer NOT NULL DEFAULT 0,
  -- Kinds of resources that it keeps unread.
  ADD COLUMN ignored_kinds  text[] NOT NULL DEFAULT '{}';

-- When each agent had which revocations in force: the newest 1,000 of each. All are of
-- the log as it is here; what agents say of an epoch that is over is not taken.
CREATE TABLE revocation_receipt (
  organization_id uuid NOT NULL,
  agent_id        uuid NOT NULL,
  version         bigint NOT NULL CHECK (version > 0),
  applied_at      timestamptz NOT NULL,
  reported_at     timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, agent_id, version)
);
CALL isolate('revocation_receipt');
GRANT SELECT ON revocation_receipt TO weir_app;
GRANT SELECT, INSERT, DELETE ON revocation_receipt TO weir_system;
