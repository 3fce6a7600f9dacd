DROP INDEX key_project;
DROP INDEX key_created;
ALTER TABLE enrolment_token DROP COLUMN gateway_id;
ALTER TABLE key
  DROP COLUMN labels,
  DROP COLUMN route_ids,
  DROP COLUMN suffix,
  DROP COLUMN expires_at,
  DROP COLUMN created_at;
