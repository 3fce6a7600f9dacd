-- The ledger of quotas: what was granted to agents and what they spent. It is no fold of the
-- log: agents tell it. Whoever changes a row holds the organization's ledger (an advisory
-- lock), so that sums over rows stay true.

-- One window of a quota, for each subject that it counts apart.
CREATE TABLE quota_account (
  organization_id uuid NOT NULL,
  quota_id        uuid NOT NULL,
  -- An end user or a label's value; empty: the quota counts all together.
  subject         text COLLATE "C" NOT NULL,
  window_id       text COLLATE "C" NOT NULL,
  starts_at       timestamptz, -- NULL with ends_at: it is for ever
  ends_at         timestamptz CHECK (ends_at > starts_at),
  -- As it was when something was asked last: the quota's amount, what the window before
  -- left of its own, and all that may be spent and held here.
  amount          bigint NOT NULL,
  carried         bigint NOT NULL DEFAULT 0,
  room            bigint NOT NULL,
  -- Sums over the leases.
  spent           bigint NOT NULL DEFAULT 0,
  held            bigint NOT NULL DEFAULT 0,
  -- Leases that hold something.
  holders         bigint NOT NULL DEFAULT 0,
  -- What was spent that no lease covered, or beyond what might be; it only grows.
  overrun         bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (organization_id, quota_id, subject, window_id)
) WITH (fillfactor = 70);
-- Partial, so that Postgres, where it has no statistics yet, does not look keys up by it.
CREATE INDEX quota_account_ends_at ON quota_account (organization_id, ends_at) WHERE ends_at IS NOT NULL;

-- What one start of an agent has of an account: totals that only grow.
CREATE TABLE quota_lease (
  organization_id uuid NOT NULL,
  quota_id        uuid NOT NULL,
  subject         text COLLATE "C" NOT NULL,
  window_id       text COLLATE "C" NOT NULL,
  agent_id        uuid NOT NULL,
  boot            text COLLATE "C" NOT NULL,
  granted         bigint NOT NULL DEFAULT 0,
  spent           bigint NOT NULL DEFAULT 0,
  returned        bigint NOT NULL DEFAULT 0,
  -- It holds something. A column of its own: an index over the totals would be written with
  -- every call.
  holds           boolean NOT NULL DEFAULT false,
  PRIMARY KEY (organization_id, quota_id, subject, window_id, agent_id, boot)
) WITH (fillfactor = 70);
CREATE INDEX quota_lease_holds ON quota_lease (organization_id, agent_id) WHERE holds;

-- What the ledger knows of agents.
CREATE TABLE quota_agent (
  organization_id uuid NOT NULL,
  agent_id        uuid NOT NULL,
  -- Its newest start, which alone is granted anything.
  boot            text COLLATE "C" NOT NULL,
  -- The start that said that all earlier ones are settled; empty: none did.
  settled_boot    text COLLATE "C" NOT NULL DEFAULT '',
  heard_at        timestamptz NOT NULL,
  -- Of the last restore that the agent was told of, and that it has told all it holds since.
  told_epoch      bigint NOT NULL DEFAULT 0,
  settled_epoch   bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (organization_id, agent_id)
) WITH (fillfactor = 70);

-- Quotas that grant again although agents are waited for, by the restore's epoch.
CREATE TABLE quota_release (
  organization_id uuid NOT NULL,
  quota_id        uuid NOT NULL,
  epoch           bigint NOT NULL,
  PRIMARY KEY (organization_id, quota_id)
);

DO $$
DECLARE
  target text;
BEGIN
  FOREACH target IN ARRAY ARRAY['quota_account', 'quota_lease', 'quota_agent', 'quota_release'] LOOP
    EXECUTE format('CALL isolate(%L)', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO weir_app', target);
    EXECUTE format('GRANT SELECT ON %I TO weir_system', target);
  END LOOP;
END
$$;

-- Epochs rise for other reasons, too: this is the last one that rose because the store may
-- have lost something.
ALTER TABLE policy_epoch
  ADD COLUMN restored_epoch bigint NOT NULL DEFAULT 0,
  ADD COLUMN restored_at    timestamptz;
