ALTER TABLE usage_event ON CLUSTER 'weir'
  DROP PROJECTION IF EXISTS keys_hour,
  DROP PROJECTION IF EXISTS routes_hour,
  DROP PROJECTION IF EXISTS targets_hour,
  DROP PROJECTION IF EXISTS targets_day,
  DROP PROJECTION IF EXISTS attempts_day,
  DROP PROJECTION IF EXISTS models_day,
  DROP PROJECTION IF EXISTS labels_day;

ALTER TABLE usage_event ON CLUSTER 'weir'
  DROP COLUMN IF EXISTS inter_token_us,
  DROP COLUMN IF EXISTS has_inter_token,
  DROP COLUMN IF EXISTS first_token_us,
  DROP COLUMN IF EXISTS has_first_token,
  DROP COLUMN IF EXISTS cache_saved_usd,
  DROP COLUMN IF EXISTS attempts,
  DROP COLUMN IF EXISTS unpriced,
  DROP COLUMN IF EXISTS served,
  DROP COLUMN IF EXISTS failed,
  DROP COLUMN IF EXISTS `attempt.cache_saved_usd`;

CREATE OR REPLACE TABLE usage_trial ON CLUSTER 'weir' AS usage_event ENGINE = Null
