-- A gateway whose changes come to its agents step by step; who leads rollouts looks
-- for those of every organization.
ALTER TABLE gateway ADD COLUMN staged boolean NOT NULL DEFAULT false;
CREATE INDEX gateway_staged ON gateway (organization_id, id) WHERE valid_to IS NULL AND staged;

-- A read model as in 0003: rollouts of gateways and goings back, those that are over, too.
CREATE TABLE rollout (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  valid_from      bigint NOT NULL,
  valid_to        bigint CHECK (valid_to > valid_from),
  gateway_id      uuid NOT NULL,
  -- The version that it began at: the newest one of a gateway says what holds there.
  started         bigint NOT NULL,
  -- The version at which it last moved agents back to the stable configuration; 0: it did not.
  stable_since    bigint NOT NULL,
  -- Agents that have the candidate now.
  candidates      uuid[] NOT NULL,
  state           json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
CREATE UNIQUE INDEX rollout_one_live ON rollout (organization_id, id) WHERE valid_to IS NULL;
CREATE INDEX rollout_gateway ON rollout (organization_id, gateway_id, started) WHERE valid_to IS NULL;
CALL isolate('rollout');
GRANT SELECT, INSERT, UPDATE, DELETE ON rollout TO weir_app;
GRANT SELECT ON rollout TO weir_system;

-- How an agent was before it got a candidate, and since when it has it. Not of the
-- log: it is what agents reported.
CREATE TABLE rollout_baseline (
  organization_id uuid NOT NULL,
  rollout_id      uuid NOT NULL,
  agent_id        uuid NOT NULL,
  requests        bigint NOT NULL,
  failures        bigint NOT NULL,
  rejected        bigint NOT NULL,
  -- NULL: it was not seen with the candidate yet.
  applied_at      timestamptz,
  since_requests  bigint NOT NULL DEFAULT 0,
  since_failures  bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (organization_id, rollout_id, agent_id)
);
CALL isolate('rollout_baseline');
GRANT SELECT, INSERT, UPDATE ON rollout_baseline TO weir_app;
GRANT SELECT ON rollout_baseline TO weir_system;

-- Requests of an agent since its start, and those that failed for no fault of the caller.
ALTER TABLE agent_status
  ADD COLUMN requests bigint NOT NULL DEFAULT 0,
  ADD COLUMN failures bigint NOT NULL DEFAULT 0;
