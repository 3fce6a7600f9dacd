DROP VIEW IF EXISTS arrivals;

ALTER TABLE usage_event
  DROP INDEX IF EXISTS lease_until
