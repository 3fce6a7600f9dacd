-- The one table with personal data. It is not made from the log, and rows are
-- erased for good.
CREATE TABLE member_person (
  organization_id uuid NOT NULL,
  member_id       uuid NOT NULL,
  -- Lower case.
  email           text NOT NULL CHECK (email = lower(email)),
  name            text NOT NULL DEFAULT '',
  -- Who logged in with that address first, by the provider's own name; NULL until then.
  issuer          text,
  subject         text,
  added_at        timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, member_id),
  CHECK ((issuer IS NULL) = (subject IS NULL))
);
CREATE UNIQUE INDEX member_person_email ON member_person (organization_id, email);
CREATE INDEX member_person_email_anywhere ON member_person (email);
CREATE UNIQUE INDEX member_person_subject ON member_person (organization_id, issuer, subject);
CREATE INDEX member_person_subject_anywhere ON member_person (issuer, subject);
CALL isolate('member_person');
GRANT SELECT, INSERT, UPDATE, DELETE ON member_person TO weir_app;
GRANT SELECT, UPDATE ON member_person TO weir_system;

-- Console logins. The cookie's text is nowhere.
CREATE TABLE session (
  sha256          bytea PRIMARY KEY CHECK (length(sha256) = 32),
  organization_id uuid NOT NULL,
  member_id       uuid NOT NULL,
  created_at      timestamptz NOT NULL,
  idle_expires_at timestamptz NOT NULL,
  expires_at      timestamptz NOT NULL
);
CREATE INDEX session_member ON session (organization_id, member_id);
CREATE INDEX session_expires_at ON session (expires_at);
CALL isolate('session');
GRANT SELECT, DELETE ON session TO weir_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON session TO weir_system;
