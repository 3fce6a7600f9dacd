DROP VIEW IF EXISTS corrections;

DROP TABLE IF EXISTS usage_correction
