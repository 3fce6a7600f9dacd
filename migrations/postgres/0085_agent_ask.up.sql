-- What agents are asked, until it is answered: any process takes the call, any holds the
-- agent's stream, and the answer comes to any.
CREATE TABLE agent_ask (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  gateway_id      uuid NOT NULL,
  agent_id        uuid, -- NULL: any of the gateway
  question        bytea NOT NULL,
  expires_at      timestamptz NOT NULL,
  open_since      timestamptz NOT NULL DEFAULT clock_timestamp(),
  taken_by        uuid,
  taken_at        timestamptz,
  tried           uuid[] NOT NULL DEFAULT '{}',
  unfit           jsonb NOT NULL DEFAULT '{}', -- why, by agent
  answered_by     uuid,
  answer          bytea,
  PRIMARY KEY (organization_id, id)
);
CALL isolate('agent_ask');
GRANT SELECT, INSERT, UPDATE, DELETE ON agent_ask TO weir_app;
GRANT SELECT, UPDATE, DELETE ON agent_ask TO weir_system;
