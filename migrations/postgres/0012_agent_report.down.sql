DROP TABLE agent_tail, agent_status;
