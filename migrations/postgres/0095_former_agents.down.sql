ALTER TABLE agent_tail DROP COLUMN former_agent_ids;
