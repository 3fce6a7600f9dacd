-- Who was removed frees the address and the login; the row stays, so that a join
-- domain does not let the same person in again.
ALTER TABLE member_person ADD COLUMN removed_at timestamptz;
DROP INDEX member_person_email;
CREATE UNIQUE INDEX member_person_email ON member_person (organization_id, email) WHERE removed_at IS NULL;
DROP INDEX member_person_subject;
CREATE UNIQUE INDEX member_person_subject ON member_person (organization_id, issuer, subject) WHERE removed_at IS NULL;

-- The last owner is looked for at each removal and each change of a role.
CREATE INDEX member_owner ON member (organization_id) WHERE valid_to IS NULL AND (state ->> 'role') = '1';

CREATE TABLE join_domain (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  valid_from      bigint NOT NULL,
  valid_to        bigint CHECK (valid_to > valid_from),
  name            text COLLATE "C" NOT NULL CHECK (name = lower(name)),
  state           json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
CREATE UNIQUE INDEX join_domain_one_live ON join_domain (organization_id, id) WHERE valid_to IS NULL;
-- Unique over the whole installation: where a person belongs must have one answer.
CREATE UNIQUE INDEX join_domain_name ON join_domain (name) WHERE valid_to IS NULL;
CALL isolate('join_domain');
GRANT SELECT, INSERT, UPDATE, DELETE ON join_domain TO weir_app;
GRANT SELECT ON join_domain TO weir_system;
