CREATE TABLE role_binding (
  organization_id uuid NOT NULL,
  id              uuid NOT NULL,
  valid_from      bigint NOT NULL,
  valid_to        bigint CHECK (valid_to > valid_from),
  -- What lists are ordered by: the project's id.
  name            text COLLATE "C" NOT NULL,
  -- Of a member or a service account.
  principal_id    uuid NOT NULL,
  project_id      uuid NOT NULL,
  state           json NOT NULL,
  PRIMARY KEY (organization_id, id, valid_from)
);
CREATE UNIQUE INDEX role_binding_one_live ON role_binding (organization_id, id) WHERE valid_to IS NULL;
CREATE UNIQUE INDEX role_binding_pair ON role_binding (organization_id, principal_id, project_id) WHERE valid_to IS NULL;
CREATE INDEX role_binding_list ON role_binding (organization_id, name, id) WHERE valid_to IS NULL;
CALL isolate('role_binding');
GRANT SELECT, INSERT, UPDATE, DELETE ON role_binding TO weir_app;
GRANT SELECT ON role_binding TO weir_system;
