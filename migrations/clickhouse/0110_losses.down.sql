ALTER TABLE usage_event
  DROP COLUMN IF EXISTS lost_unpriced_attempts,
  DROP COLUMN IF EXISTS lost_attempts,
  DROP COLUMN IF EXISTS lost_shadows,
  DROP COLUMN IF EXISTS lost_requests;

CREATE OR REPLACE TABLE usage_trial AS usage_event ENGINE = Null
