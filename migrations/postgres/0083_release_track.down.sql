ALTER TABLE release NO FORCE ROW LEVEL SECURITY;
DELETE FROM release WHERE track <> 'stable';
ALTER TABLE release FORCE ROW LEVEL SECURITY;
ALTER TABLE release
  DROP CONSTRAINT release_pkey,
  DROP COLUMN track,
  ADD PRIMARY KEY (organization_id, gateway_id, epoch, version);
