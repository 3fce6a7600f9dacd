DROP TABLE revocation_receipt;
ALTER TABLE agent_status
  DROP COLUMN ignored_kinds,
  DROP COLUMN capability,
  DROP COLUMN oldest_version,
  DROP COLUMN oldest_epoch;
