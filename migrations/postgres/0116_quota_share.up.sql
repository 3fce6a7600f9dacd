-- Shares of rates and of slots. Unlogged: a share lapses within seconds, sooner than Postgres
-- is back from a crash, so that nothing is lost with it; and it is renewed so often that the
-- log would be full of it.
CREATE UNLOGGED TABLE quota_share (
  organization_id uuid NOT NULL,
  quota_id        uuid NOT NULL,
  subject         text COLLATE "C" NOT NULL,
  agent_id        uuid NOT NULL,
  -- What the agent could use, as it last said.
  demand          bigint NOT NULL,
  heard_at        timestamptz NOT NULL,
  -- In steps of ten minutes, so that the index is seldom written.
  keep_until      timestamptz NOT NULL,
  -- What it may still be using, largest first, and until when, in ms since 1970: an agent
  -- that did not get the last answer goes by one before.
  amounts         bigint[] NOT NULL,
  until           bigint[] NOT NULL,
  PRIMARY KEY (organization_id, quota_id, subject, agent_id)
) WITH (fillfactor = 50);
-- Partial, as that of accounts.
CREATE INDEX quota_share_keep_until ON quota_share (organization_id, keep_until) WHERE keep_until > '2000-01-01';
CALL isolate('quota_share');
GRANT SELECT, INSERT, UPDATE, DELETE ON quota_share TO weir_app;
GRANT SELECT ON quota_share TO weir_system;
