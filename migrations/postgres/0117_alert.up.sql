-- What somebody is to be told of, and what came of telling them. None of it is in the log:
-- the control plane notices it by itself.
CREATE TABLE alert (
  organization_id uuid NOT NULL,
  -- Made from what the alert is about, so that the same is raised once, whoever notices it.
  id              uuid NOT NULL,
  kind            text COLLATE "C" NOT NULL,
  raised_at       timestamptz NOT NULL,
  -- The body of the message, as each channel gets it at each attempt.
  body            text NOT NULL,
  PRIMARY KEY (organization_id, id)
);
CREATE INDEX alert_raised_at ON alert (organization_id, raised_at, id);
CREATE INDEX alert_age ON alert (raised_at);

-- One alert on its way to one channel.
CREATE TABLE alert_delivery (
  organization_id  uuid NOT NULL,
  id               uuid NOT NULL,
  alert_id         uuid NOT NULL,
  alert_channel_id uuid NOT NULL,
  created_at       timestamptz NOT NULL,
  -- pending, accepted or failed
  state            text COLLATE "C" NOT NULL DEFAULT 'pending',
  -- Attempts that began.
  attempts         integer NOT NULL DEFAULT 0,
  -- While pending: when the next attempt is due. Whoever begins one sets it to when others
  -- may take it for dead.
  due_at           timestamptz NOT NULL,
  -- No attempt is planned for later.
  expires_at       timestamptz NOT NULL,
  ended_at         timestamptz,
  PRIMARY KEY (organization_id, id)
);
CREATE INDEX alert_delivery_created_at ON alert_delivery (organization_id, created_at, id);
CREATE INDEX alert_delivery_alert ON alert_delivery (organization_id, alert_id);
CREATE INDEX alert_delivery_due ON alert_delivery (due_at) WHERE state = 'pending';
CREATE INDEX alert_delivery_channel ON alert_delivery (organization_id, alert_channel_id, due_at) WHERE state = 'pending';
CREATE INDEX alert_delivery_age ON alert_delivery (created_at);

CREATE TABLE alert_attempt (
  organization_id uuid NOT NULL,
  delivery_id     uuid NOT NULL,
  number          integer NOT NULL,
  began_at        timestamptz NOT NULL,
  -- What came of it, as alert.Result numbers it; 0: nobody knows, or not yet.
  result          integer NOT NULL DEFAULT 0,
  -- HTTP status of the answer; 0: there was none.
  status          integer NOT NULL DEFAULT 0,
  duration_us     bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (organization_id, delivery_id, number)
);
CREATE INDEX alert_attempt_age ON alert_attempt (began_at);

DO $$
DECLARE
  target text;
BEGIN
  FOREACH target IN ARRAY ARRAY['alert', 'alert_delivery', 'alert_attempt'] LOOP
    EXECUTE format('CALL isolate(%L)', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO weir_app', target);
    -- What is old is forgotten, of all organizations together.
    EXECUTE format('GRANT SELECT, DELETE ON %I TO weir_system', target);
  END LOOP;
END
$$;
