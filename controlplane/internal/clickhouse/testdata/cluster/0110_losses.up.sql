-- A row of kind 'tombstone' is no request: it sums up what an agent served without a
-- record while its spool was full. What that cost, as far as it is priced, is in
-- priced_cost_usd and the token columns, as a request's is, and how much it was is here.
ALTER TABLE usage_event ON CLUSTER 'weir'
  ADD COLUMN IF NOT EXISTS lost_requests Int64 DEFAULT 0 CODEC(ZSTD(1)) AFTER `candidate.verdict`,
  ADD COLUMN IF NOT EXISTS lost_shadows Int64 DEFAULT 0 CODEC(ZSTD(1)) AFTER lost_requests,
  ADD COLUMN IF NOT EXISTS lost_attempts Int64 DEFAULT 0 CODEC(ZSTD(1)) AFTER lost_shadows,
  ADD COLUMN IF NOT EXISTS lost_unpriced_attempts Int64 DEFAULT 0 CODEC(ZSTD(1)) AFTER lost_attempts;

CREATE OR REPLACE TABLE usage_trial ON CLUSTER 'weir' AS usage_event ENGINE = Null
