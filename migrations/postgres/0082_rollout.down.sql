ALTER TABLE agent_status
  DROP COLUMN failures,
  DROP COLUMN requests;
DROP TABLE rollout_baseline;
DROP TABLE rollout;
ALTER TABLE gateway DROP COLUMN staged;
