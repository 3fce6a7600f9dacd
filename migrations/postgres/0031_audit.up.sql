-- The keys that the links of audit chains are authenticated with, wrapped by the
-- house key. They belong to the installation: the newest signs, all verify.
CREATE TABLE audit_key (
  id           uuid PRIMARY KEY,
  house_key_id text NOT NULL,
  wrapped      bytea NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
GRANT SELECT, INSERT ON audit_key TO weir_system;
GRANT UPDATE (house_key_id, wrapped) ON audit_key TO weir_system;

-- One link of an organization's audit chain covers the versions of one append.
-- Its code is over all other columns but created_at.
CREATE TABLE audit_link (
  organization_id uuid NOT NULL,
  first           bigint NOT NULL CHECK (first > 0),
  last            bigint NOT NULL CHECK (last >= first),
  -- Chained after they were recorded, by command.
  late            boolean NOT NULL,
  key_id          uuid NOT NULL,
  -- The code of the link before; empty: this one is the first.
  previous        bytea NOT NULL CHECK (length(previous) IN (0, 32)),
  -- SHA-256 of each event, in order.
  digests         bytea NOT NULL CHECK (length(digests) = 32 * (last - first + 1)),
  code            bytea NOT NULL CHECK (length(code) = 32),
  created_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, last)
);
CALL isolate('audit_link');
GRANT SELECT, INSERT ON audit_link TO weir_app;
GRANT SELECT ON audit_link TO weir_system;
