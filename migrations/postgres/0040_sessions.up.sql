-- What people are shown of a session, and a name to call it by that opens nothing.
ALTER TABLE session
  ADD COLUMN id           uuid NOT NULL DEFAULT gen_random_uuid(),
  ADD COLUMN last_seen_at timestamptz,
  ADD COLUMN address      text NOT NULL DEFAULT '' CHECK (length(address) <= 45),
  ADD COLUMN user_agent   text NOT NULL DEFAULT '' CHECK (length(user_agent) <= 200);
CREATE UNIQUE INDEX session_id ON session (id);

-- Logins that were used, until they would be too old anyway: a state is good once, whatever a browser keeps. It is
-- known before any organization is.
CREATE TABLE spent_login (
  sha256     bytea PRIMARY KEY CHECK (length(sha256) = 32),
  expires_at timestamptz NOT NULL
);
CREATE INDEX spent_login_expires_at ON spent_login (expires_at);
GRANT SELECT, INSERT, DELETE ON spent_login TO weir_system;
