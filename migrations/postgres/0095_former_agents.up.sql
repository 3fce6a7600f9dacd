-- An agent that enrols anew with the folder of another ships what that one left: which
-- agents closed batches of the boot that it still has. Few tails have any.
ALTER TABLE agent_tail ADD COLUMN former_agent_ids uuid[] NOT NULL DEFAULT '{}';
CREATE INDEX agent_tail_former ON agent_tail (agent_id) WHERE former_agent_ids <> '{}';
