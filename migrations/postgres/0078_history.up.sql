-- What the log is searched by; subject and time have their indexes.
CREATE INDEX event_kind ON event (organization_id, kind, version);
CREATE INDEX event_actor ON event (organization_id, actor, version);
CREATE INDEX event_request ON event (organization_id, request_id, version) WHERE request_id <> '';
