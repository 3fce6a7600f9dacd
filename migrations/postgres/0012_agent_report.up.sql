-- What each agent last said of itself.
CREATE TABLE agent_status (
  organization_id    uuid NOT NULL,
  agent_id           uuid NOT NULL,
  last_seen_at       timestamptz NOT NULL,
  version            text NOT NULL,
  policy_epoch       bigint NOT NULL,
  policy_version     bigint NOT NULL,
  revocation_version bigint NOT NULL,
  reject_reasons     text[] NOT NULL,
  spool_bytes        bigint NOT NULL,
  spool_records      bigint NOT NULL,
  PRIMARY KEY (organization_id, agent_id)
);
CALL isolate('agent_status');
GRANT SELECT ON agent_status TO weir_app;
GRANT SELECT, INSERT, UPDATE ON agent_status TO weir_system;

-- The last number of usage that each boot gave out: completeness counts up to it.
CREATE TABLE agent_tail (
  organization_id uuid NOT NULL,
  agent_id        uuid NOT NULL,
  boot            text NOT NULL,
  last_seq        bigint NOT NULL CHECK (last_seq >= 0),
  closed          boolean NOT NULL,
  reported_at     timestamptz NOT NULL,
  PRIMARY KEY (organization_id, agent_id, boot)
);
CALL isolate('agent_tail');
GRANT SELECT ON agent_tail TO weir_app;
GRANT SELECT, INSERT, UPDATE ON agent_tail TO weir_system;
