-- When tokens were used last, up to a minute behind; not in the log. A token that
-- has no row was never used.
CREATE TABLE service_account_token_use (
  organization_id uuid NOT NULL,
  token_id        uuid NOT NULL,
  last_used_at    timestamptz NOT NULL,
  PRIMARY KEY (organization_id, token_id)
);
CALL isolate('service_account_token_use');
GRANT SELECT ON service_account_token_use TO weir_app;
GRANT SELECT, INSERT, UPDATE ON service_account_token_use TO weir_system;
