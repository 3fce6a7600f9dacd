-- Reads as of a time, and the audit trail of a span of time.
CREATE INDEX event_recorded_at ON event (organization_id, recorded_at, version);
