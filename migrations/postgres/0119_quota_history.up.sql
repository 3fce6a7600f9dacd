ALTER TABLE quota_account
  -- What admins freed that agents had not settled; it only grows.
  ADD COLUMN written_off bigint NOT NULL DEFAULT 0;
-- Who spends the most of a quota that counts each subject apart. None of its columns is
-- written again, so that settlements stay within their page.
CREATE INDEX quota_account_subjects ON quota_account (organization_id, quota_id, window_id) WHERE subject <> '';

ALTER TABLE quota_agent
  -- When its newest start was heard first; NULL: before this was noted.
  ADD COLUMN boot_at timestamptz;

-- How windows ended whose accounts are gone, of quotas that count all subjects together.
CREATE TABLE quota_history (
  organization_id uuid NOT NULL,
  quota_id        uuid NOT NULL,
  window_id       text COLLATE "C" NOT NULL,
  starts_at       timestamptz NOT NULL,
  ends_at         timestamptz NOT NULL,
  -- As quota_account had them last.
  amount          bigint NOT NULL,
  carried         bigint NOT NULL,
  room            bigint NOT NULL,
  spent           bigint NOT NULL,
  held            bigint NOT NULL,
  overrun         bigint NOT NULL,
  written_off     bigint NOT NULL,
  PRIMARY KEY (organization_id, quota_id, window_id)
);
CALL isolate('quota_history');
GRANT SELECT, INSERT, UPDATE, DELETE ON quota_history TO weir_app;
GRANT SELECT ON quota_history TO weir_system;
