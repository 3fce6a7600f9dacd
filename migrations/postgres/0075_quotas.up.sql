-- Read models as in 0003: limits and budgets.

CREATE TABLE quota_limit (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  valid_from      bigint NOT NULL,
  valid_to        bigint CHECK (valid_to > valid_from),
  name            text COLLATE "C" NOT NULL,
  -- What it is on, or whose key it is on.
  project_id      uuid,
  state           json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
CREATE UNIQUE INDEX quota_limit_name ON quota_limit (organization_id, name) WHERE valid_to IS NULL;

CREATE TABLE budget (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  valid_from      bigint NOT NULL,
  valid_to        bigint CHECK (valid_to > valid_from),
  name            text COLLATE "C" NOT NULL,
  project_id      uuid,
  state           json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
CREATE UNIQUE INDEX budget_name ON budget (organization_id, name) WHERE valid_to IS NULL;

DO $$
DECLARE
  target text;
BEGIN
  FOREACH target IN ARRAY ARRAY['quota_limit', 'budget'] LOOP
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (organization_id, id) WHERE valid_to IS NULL', target || '_one_live', target);
    EXECUTE format('CALL isolate(%L)', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO weir_app', target);
    EXECUTE format('GRANT SELECT ON %I TO weir_system', target);
  END LOOP;
END
$$;
