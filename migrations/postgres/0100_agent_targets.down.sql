ALTER TABLE agent_status DROP COLUMN targets;
