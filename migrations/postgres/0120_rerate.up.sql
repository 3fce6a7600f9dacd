-- Read model as in 0003: repetitions of the pricing of usage.
CREATE TABLE rerate (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  valid_from      bigint NOT NULL,
  valid_to        bigint CHECK (valid_to > valid_from),
  state           json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
CREATE UNIQUE INDEX rerate_one_live ON rerate (organization_id, id) WHERE valid_to IS NULL;
CALL isolate('rerate');
GRANT SELECT, INSERT, UPDATE, DELETE ON rerate TO weir_app;
GRANT SELECT ON rerate TO weir_system;

-- How far each is. Whoever carries one on holds its row from before it reads the next
-- attempts until the corrections are in the analytics store, so that nobody else does.
CREATE TABLE rerate_run (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  state           text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
  failure         text NOT NULL DEFAULT '',
  -- Requests that began before reached_at were looked at. Those up to planned_until are next:
  -- a window is decided before it is priced, so that it is the same after a crash.
  reached_at      timestamptz NOT NULL,
  planned_until   timestamptz CHECK (planned_until > reached_at),
  tally           json NOT NULL DEFAULT '{}',
  finished_at     timestamptz CHECK ((finished_at IS NULL) = (state = 'running')),
  PRIMARY KEY (organization_id, id)
);
-- One at a time.
CREATE UNIQUE INDEX rerate_run_running ON rerate_run (organization_id) WHERE state = 'running';
CALL isolate('rerate_run');
GRANT SELECT, INSERT, UPDATE ON rerate_run TO weir_app;
GRANT SELECT ON rerate_run TO weir_system;
