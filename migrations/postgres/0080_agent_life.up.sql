-- Revoked agents stay in the fleet's list; who follows the log looks for new ones.
ALTER TABLE agent ADD COLUMN revoked_at timestamptz;
CREATE INDEX agent_revoked ON agent (organization_id, valid_from) WHERE valid_to IS NULL AND revoked_at IS NOT NULL;

-- What agents say of themselves since.
ALTER TABLE agent_status
  ADD COLUMN build               text NOT NULL DEFAULT '',
  ADD COLUMN platform            text NOT NULL DEFAULT '',
  ADD COLUMN address             text NOT NULL DEFAULT '',
  ADD COLUMN policies_rejected   bigint NOT NULL DEFAULT 0,
  ADD COLUMN last_reject_reasons text[] NOT NULL DEFAULT '{}',
  ADD COLUMN last_rejected_at    timestamptz,
  ADD COLUMN spool_oldest_at     timestamptz;
