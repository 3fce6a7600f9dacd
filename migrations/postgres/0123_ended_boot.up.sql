ALTER TABLE quota_agent
  -- The start that said that it spends nothing more; empty: none did.
  ADD COLUMN ended_boot text NOT NULL DEFAULT '';
