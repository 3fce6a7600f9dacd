-- What the rows of an organization's ledger were stamped with last: whoever writes a row of
-- quota_account, quota_lease or quota_agent writes another one, at random, in the same
-- transaction. Who remembers rows by their stamp need not read them again.
CREATE TABLE quota_ledger (
  organization_id uuid NOT NULL PRIMARY KEY,
  stamp           uuid NOT NULL
) WITH (fillfactor = 50);
CALL isolate('quota_ledger');
GRANT SELECT, INSERT, UPDATE, DELETE ON quota_ledger TO weir_app;
GRANT SELECT ON quota_ledger TO weir_system;
