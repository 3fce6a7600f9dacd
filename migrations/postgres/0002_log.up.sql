-- isolate puts a table with an organization_id column under row-level security:
-- weir_app sees one organization's rows, weir_system those of all. Every table
-- with that column calls it; a test reads the catalogue.
CREATE PROCEDURE isolate(target regclass) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
  EXECUTE format('CREATE POLICY one_organization ON %s TO weir_app
    USING (organization_id = current_organization())
    WITH CHECK (organization_id = current_organization())', target);
  EXECUTE format('CREATE POLICY every_organization ON %s TO weir_system
    USING (true) WITH CHECK (true)', target);
END
$$;

-- One row per organization; its lock puts the organization's appends in order.
CREATE TABLE organization_head (
  organization_id uuid PRIMARY KEY,
  head            bigint NOT NULL CHECK (head >= 0),
  -- When head was recorded; never goes back.
  recorded_at     timestamptz NOT NULL,
  -- Who tails the log asks for the rows of transactions it could not see before.
  changed_by      xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX organization_head_changed_by ON organization_head (changed_by);
CALL isolate('organization_head');
GRANT SELECT, INSERT, UPDATE ON organization_head TO weir_app;
GRANT SELECT ON organization_head TO weir_system;

CREATE TABLE event (
  organization_id uuid NOT NULL,
  version         bigint NOT NULL CHECK (version > 0),
  kind            text NOT NULL,
  subject         uuid NOT NULL,
  -- json, not jsonb: hashes are over the stored bytes.
  payload         json NOT NULL,
  actor           text NOT NULL,
  request_id      text NOT NULL,
  recorded_at     timestamptz NOT NULL,
  PRIMARY KEY (organization_id, version)
);
CREATE INDEX event_subject ON event (organization_id, subject, version);
CALL isolate('event');
-- Nobody changes or deletes an event.
GRANT SELECT, INSERT ON event TO weir_app;
GRANT SELECT ON event TO weir_system;

-- What a mutating request was answered, for the same request said again.
CREATE TABLE idempotency (
  organization_id uuid NOT NULL,
  actor           text NOT NULL,
  request_id      text NOT NULL,
  procedure       text NOT NULL,
  request_sha256  bytea NOT NULL CHECK (length(request_sha256) = 32),
  -- ProtoJSON without its secrets.
  response        json NOT NULL,
  recorded_at     timestamptz NOT NULL,
  PRIMARY KEY (organization_id, actor, request_id)
);
CALL isolate('idempotency');
GRANT SELECT, INSERT ON idempotency TO weir_app;
