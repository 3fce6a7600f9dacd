-- An organization signs with its only active key: neither retired nor merely
-- announced. The announced one is the next: agents learn it from releases that
-- the active one signs.
ALTER TABLE signing_key ADD COLUMN announced boolean NOT NULL DEFAULT false;
DROP INDEX signing_key_active;
CREATE UNIQUE INDEX signing_key_active ON signing_key (organization_id) WHERE retired_at IS NULL AND NOT announced;
CREATE UNIQUE INDEX signing_key_announced ON signing_key (organization_id) WHERE retired_at IS NULL AND announced;
GRANT UPDATE (announced, retired_at, wrapped) ON signing_key TO weir_app;
GRANT UPDATE (house_key_id, wrapped) ON signing_key TO weir_system;

-- The keys that agents believe once they hold the release.
ALTER TABLE release ADD COLUMN believed_key_ids text[] NOT NULL DEFAULT '{}';
