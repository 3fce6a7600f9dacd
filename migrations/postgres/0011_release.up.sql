-- The epoch of an organization's policies. It is raised when the same version of
-- the log must be released with other content.
CREATE TABLE policy_epoch (
  organization_id uuid PRIMARY KEY,
  epoch           bigint NOT NULL CHECK (epoch > 0)
);
CALL isolate('policy_epoch');
GRANT SELECT, INSERT, UPDATE ON policy_epoch TO weir_app;
GRANT SELECT ON policy_epoch TO weir_system;

-- Every release once: the exact bytes that were signed.
CREATE TABLE release (
  organization_id uuid NOT NULL,
  gateway_id      uuid NOT NULL,
  epoch           bigint NOT NULL,
  version         bigint NOT NULL,
  root            bytea NOT NULL CHECK (length(root) = 32),
  release         bytea NOT NULL,
  signature       bytea NOT NULL CHECK (length(signature) = 64),
  signing_key_id  text NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, gateway_id, epoch, version)
);
CALL isolate('release');
GRANT SELECT, INSERT ON release TO weir_app;
GRANT SELECT ON release TO weir_system;
