DROP TABLE agent_tail;
DROP TABLE usage_range
