DROP TABLE agent_ask;
