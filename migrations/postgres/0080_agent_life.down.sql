ALTER TABLE agent_status
  DROP COLUMN spool_oldest_at,
  DROP COLUMN last_rejected_at,
  DROP COLUMN last_reject_reasons,
  DROP COLUMN policies_rejected,
  DROP COLUMN address,
  DROP COLUMN platform,
  DROP COLUMN build;
DROP INDEX agent_revoked;
ALTER TABLE agent DROP COLUMN revoked_at;
