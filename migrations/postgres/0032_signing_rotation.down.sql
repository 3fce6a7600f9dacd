ALTER TABLE release DROP COLUMN believed_key_ids;
REVOKE UPDATE (house_key_id, wrapped) ON signing_key FROM weir_system;
REVOKE UPDATE (announced, retired_at, wrapped) ON signing_key FROM weir_app;
DROP INDEX signing_key_announced;
DROP INDEX signing_key_active;
DELETE FROM signing_key WHERE announced;
CREATE UNIQUE INDEX signing_key_active ON signing_key (organization_id) WHERE retired_at IS NULL;
ALTER TABLE signing_key DROP COLUMN announced;
