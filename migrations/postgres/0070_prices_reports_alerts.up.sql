-- Read models as in 0003: prices of the organization's own, saved queries, webhooks.

CREATE TABLE price_override (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  valid_from      bigint NOT NULL,
  valid_to        bigint CHECK (valid_to > valid_from),
  -- <price list>/<model>
  name            text COLLATE "C" NOT NULL,
  state           json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
CREATE UNIQUE INDEX price_override_name ON price_override (organization_id, name) WHERE valid_to IS NULL;

CREATE TABLE saved_report (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  valid_from      bigint NOT NULL,
  valid_to        bigint CHECK (valid_to > valid_from),
  name            text COLLATE "C" NOT NULL,
  state           json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
CREATE UNIQUE INDEX saved_report_name ON saved_report (organization_id, name) WHERE valid_to IS NULL;

CREATE TABLE alert_channel (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  valid_from      bigint NOT NULL,
  valid_to        bigint CHECK (valid_to > valid_from),
  name            text COLLATE "C" NOT NULL,
  state           json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
CREATE UNIQUE INDEX alert_channel_name ON alert_channel (organization_id, name) WHERE valid_to IS NULL;

DO $$
DECLARE
  target text;
BEGIN
  FOREACH target IN ARRAY ARRAY['price_override', 'saved_report', 'alert_channel'] LOOP
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (organization_id, id) WHERE valid_to IS NULL', target || '_one_live', target);
    EXECUTE format('CALL isolate(%L)', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO weir_app', target);
    EXECUTE format('GRANT SELECT ON %I TO weir_system', target);
  END LOOP;
END
$$;
