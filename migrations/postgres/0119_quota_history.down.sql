DROP TABLE quota_history;
ALTER TABLE quota_agent DROP COLUMN boot_at;
DROP INDEX quota_account_subjects;
ALTER TABLE quota_account DROP COLUMN written_off;
