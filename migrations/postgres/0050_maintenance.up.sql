-- Since PostgreSQL 16 whoever makes a role is a member of it that may not become it.
DO $$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['weir_app', 'weir_system'] LOOP
    FOR attempt IN 1..20 LOOP
      BEGIN
        EXECUTE format('GRANT %I TO %I', wanted, current_user);
        EXIT;
      EXCEPTION
        WHEN insufficient_privilege THEN EXIT; -- an administrator made the roles, and us a member
        WHEN unique_violation OR internal_error THEN PERFORM pg_sleep(0.05);
      END;
    END LOOP;
  END LOOP;
END
$$;

-- Answers to old requests are forgotten, and a backup reads every table.
CREATE INDEX idempotency_recorded_at ON idempotency (recorded_at);
GRANT SELECT, DELETE ON idempotency TO weir_system;

-- Which server served this database last. Another one, or another timeline of its
-- history, may have lost commits that agents have seen: epochs rise.
CREATE TABLE installation (
  one               boolean PRIMARY KEY DEFAULT true CHECK (one),
  system_identifier text NOT NULL,
  timeline          bigint NOT NULL,
  database          text NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON installation TO weir_system;
GRANT SELECT, INSERT, UPDATE ON policy_epoch TO weir_system;
