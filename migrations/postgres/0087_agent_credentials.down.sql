ALTER TABLE agent_status DROP COLUMN credentials;
