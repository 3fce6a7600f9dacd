DROP TABLE release, policy_epoch;
