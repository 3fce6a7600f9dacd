DROP TABLE join_domain;
DROP INDEX member_owner;
DROP INDEX member_person_subject;
DROP INDEX member_person_email;
DELETE FROM member_person WHERE removed_at IS NOT NULL;
ALTER TABLE member_person DROP COLUMN removed_at;
CREATE UNIQUE INDEX member_person_email ON member_person (organization_id, email);
CREATE UNIQUE INDEX member_person_subject ON member_person (organization_id, issuer, subject);
