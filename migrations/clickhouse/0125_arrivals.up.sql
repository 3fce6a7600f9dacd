-- Which requests came lately, whenever they began: docs/decisions/019. A row is inserted
-- before its lease is over, or refused.
ALTER TABLE usage_event
  ADD INDEX IF NOT EXISTS lease_until lease_until TYPE minmax GRANULARITY 1;

ALTER TABLE usage_event
  MATERIALIZE INDEX lease_until;

CREATE OR REPLACE VIEW arrivals DEFINER = report_definer SQL SECURITY DEFINER AS
SELECT
  request_id,
  started_at,
  lease_until AS stored_by
FROM usage_event
WHERE kind = 'request'
