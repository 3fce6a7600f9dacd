-- What lists of keys are filtered and ordered by: an organization can have 100,000.
-- JSON operators are not leak-proof, so that row-level security keeps them from
-- indexes, and reading the whole state of each row costs more than the rest of it.
ALTER TABLE key
  ADD COLUMN created_at timestamptz,
  ADD COLUMN expires_at timestamptz,
  ADD COLUMN suffix     text COLLATE "C",
  ADD COLUMN route_ids  uuid[],
  ADD COLUMN labels     jsonb;

-- The owner is under row-level security, too, and belongs to no organization.
ALTER TABLE key NO FORCE ROW LEVEL SECURITY;
UPDATE key SET
  created_at = (state ->> 'created_at')::timestamptz,
  -- Cut to microseconds, as the driver does; a cast would round.
  expires_at = NULLIF(regexp_replace(state ->> 'expires_at', '(\.\d{6})\d+', '\1')::timestamptz, '0001-01-01T00:00:00Z'),
  suffix     = state ->> 'suffix',
  route_ids  = ARRAY(SELECT jsonb_array_elements_text(jsonb_path_query_array(state::jsonb, '$.route_ids[*]')))::uuid[],
  labels     = CASE json_typeof(state -> 'labels') WHEN 'object' THEN (state -> 'labels')::jsonb ELSE '{}' END;
ALTER TABLE key FORCE ROW LEVEL SECURITY;

ALTER TABLE key
  ALTER COLUMN created_at SET NOT NULL,
  ALTER COLUMN suffix     SET NOT NULL,
  ALTER COLUMN route_ids  SET NOT NULL,
  ALTER COLUMN labels     SET NOT NULL;

-- Asked for at each end of a gateway, and in lists.
ALTER TABLE enrolment_token ADD COLUMN gateway_id uuid;
ALTER TABLE enrolment_token NO FORCE ROW LEVEL SECURITY;
UPDATE enrolment_token SET gateway_id = (state ->> 'gateway_id')::uuid;
ALTER TABLE enrolment_token FORCE ROW LEVEL SECURITY;
ALTER TABLE enrolment_token ALTER COLUMN gateway_id SET NOT NULL;

CREATE INDEX key_created ON key (organization_id, created_at, id) WHERE valid_to IS NULL;
CREATE INDEX key_project ON key (organization_id, project_id, name, id) WHERE valid_to IS NULL;
