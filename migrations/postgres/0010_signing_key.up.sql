-- The keys with which organizations' policies are signed, private halves wrapped
-- by the house key. An organization signs with its only unretired one.
CREATE TABLE signing_key (
  organization_id uuid NOT NULL,
  id              text NOT NULL,
  public_key      bytea NOT NULL CHECK (length(public_key) = 32),
  -- Which house key wraps it, to tell a wrong one from a damaged row.
  house_key_id    text NOT NULL,
  wrapped         bytea NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT now(),
  retired_at      timestamptz,
  PRIMARY KEY (organization_id, id)
);
CREATE UNIQUE INDEX signing_key_active ON signing_key (organization_id) WHERE retired_at IS NULL;
CALL isolate('signing_key');
GRANT SELECT, INSERT ON signing_key TO weir_app;
GRANT SELECT ON signing_key TO weir_system;
