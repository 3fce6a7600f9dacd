DROP INDEX event_recorded_at;
