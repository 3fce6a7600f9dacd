-- Secrets that the control plane must be able to read again (of webhooks, of
-- identity providers), sealed under the house key. The log names their ids only.
CREATE TABLE secret (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  -- What it may be opened for.
  purpose         text NOT NULL CHECK (purpose <> ''),
  house_key_id    text NOT NULL,
  sealed          bytea NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, id)
);
CALL isolate('secret');
GRANT SELECT, INSERT, UPDATE, DELETE ON secret TO weir_app;
GRANT SELECT ON secret TO weir_system;
GRANT UPDATE (house_key_id, sealed) ON secret TO weir_system;
