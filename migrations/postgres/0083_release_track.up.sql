-- While a rollout runs, a gateway has two policies at once.
ALTER TABLE release
  ADD COLUMN track text NOT NULL DEFAULT 'stable' CHECK (track IN ('stable', 'candidate')),
  DROP CONSTRAINT release_pkey,
  ADD PRIMARY KEY (organization_id, gateway_id, track, epoch, version);
