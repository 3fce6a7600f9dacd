-- Read models. A row is one version of one thing, true for the log's versions
-- [valid_from, valid_to); valid_to NULL: true now. `state` is the JSON of the
-- aggregate's struct; what is searched for stands in columns.

CREATE TABLE organization (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  valid_from      bigint NOT NULL,
  valid_to        bigint CHECK (valid_to > valid_from),
  name            text COLLATE "C" NOT NULL,
  state           json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
-- Unique over the whole installation.
CREATE UNIQUE INDEX organization_name ON organization (name) WHERE valid_to IS NULL;

CREATE TABLE member (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  valid_from      bigint NOT NULL,
  valid_to        bigint CHECK (valid_to > valid_from),
  state           json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
CREATE UNIQUE INDEX member_live ON member (id) WHERE valid_to IS NULL;

CREATE TABLE project (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  valid_from      bigint NOT NULL,
  valid_to        bigint CHECK (valid_to > valid_from),
  name            text COLLATE "C" NOT NULL,
  state           json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
CREATE UNIQUE INDEX project_name ON project (organization_id, name) WHERE valid_to IS NULL;

CREATE TABLE provider (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  valid_from      bigint NOT NULL,
  valid_to        bigint CHECK (valid_to > valid_from),
  name            text COLLATE "C" NOT NULL,
  state           json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
CREATE UNIQUE INDEX provider_name ON provider (organization_id, name) WHERE valid_to IS NULL;

CREATE TABLE route (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  valid_from      bigint NOT NULL,
  valid_to        bigint CHECK (valid_to > valid_from),
  name            text COLLATE "C" NOT NULL,
  state           json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
CREATE UNIQUE INDEX route_name ON route (organization_id, name) WHERE valid_to IS NULL;

CREATE TABLE key (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  valid_from      bigint NOT NULL,
  valid_to        bigint CHECK (valid_to > valid_from),
  name            text COLLATE "C" NOT NULL,
  project_id      uuid NOT NULL,
  sha256          bytea NOT NULL,
  revoked_at      timestamptz,
  state           json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
CREATE INDEX key_list ON key (organization_id, name, id) WHERE valid_to IS NULL;
CREATE UNIQUE INDEX key_name ON key (organization_id, project_id, name) WHERE valid_to IS NULL AND revoked_at IS NULL;
CREATE UNIQUE INDEX key_sha256 ON key (organization_id, sha256) WHERE valid_to IS NULL;

CREATE TABLE gateway (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  valid_from      bigint NOT NULL,
  valid_to        bigint CHECK (valid_to > valid_from),
  name            text COLLATE "C" NOT NULL,
  state           json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
CREATE UNIQUE INDEX gateway_name ON gateway (organization_id, name) WHERE valid_to IS NULL;

CREATE TABLE enrolment_token (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  valid_from      bigint NOT NULL,
  valid_to        bigint CHECK (valid_to > valid_from),
  sha256          bytea NOT NULL,
  state           json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
CREATE UNIQUE INDEX enrolment_token_sha256 ON enrolment_token (sha256) WHERE valid_to IS NULL;

CREATE TABLE agent (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  valid_from      bigint NOT NULL,
  valid_to        bigint CHECK (valid_to > valid_from),
  name            text COLLATE "C" NOT NULL,
  gateway_id      uuid NOT NULL,
  public_key      bytea NOT NULL,
  state           json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
CREATE UNIQUE INDEX agent_live ON agent (id) WHERE valid_to IS NULL;
CREATE INDEX agent_list ON agent (organization_id, name, id) WHERE valid_to IS NULL;
CREATE UNIQUE INDEX agent_public_key ON agent (organization_id, public_key) WHERE valid_to IS NULL;

CREATE TABLE service_account (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  valid_from      bigint NOT NULL,
  valid_to        bigint CHECK (valid_to > valid_from),
  name            text COLLATE "C" NOT NULL,
  state           json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
CREATE UNIQUE INDEX service_account_name ON service_account (organization_id, name) WHERE valid_to IS NULL;

CREATE TABLE service_account_token (
  organization_id    uuid NOT NULL,
  id                 uuid NOT NULL,
  valid_from         bigint NOT NULL,
  valid_to           bigint CHECK (valid_to > valid_from),
  service_account_id uuid NOT NULL,
  sha256             bytea NOT NULL,
  state              json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
CREATE INDEX service_account_token_account ON service_account_token (organization_id, service_account_id) WHERE valid_to IS NULL;
CREATE UNIQUE INDEX service_account_token_sha256 ON service_account_token (sha256) WHERE valid_to IS NULL;

DO $$
DECLARE
  target text;
BEGIN
  FOREACH target IN ARRAY ARRAY['organization', 'member', 'project', 'provider', 'route', 'key', 'gateway',
      'enrolment_token', 'agent', 'service_account', 'service_account_token'] LOOP
    EXECUTE format('CREATE UNIQUE INDEX %I ON %I (organization_id, id) WHERE valid_to IS NULL', target || '_one_live', target);
    EXECUTE format('CALL isolate(%L)', target);
    -- A rebuild replaces rows; they can always be made again from the log.
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO weir_app', target);
    EXECUTE format('GRANT SELECT ON %I TO weir_system', target);
  END LOOP;
END
$$;
