-- Which compilers of policies run, by the revision of what they make, and when each said
-- so last.
CREATE TABLE compiler (
  revision integer PRIMARY KEY CHECK (revision > 0),
  seen_at  timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE ON compiler TO weir_system;
