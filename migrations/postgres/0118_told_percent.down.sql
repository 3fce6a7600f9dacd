ALTER TABLE quota_account DROP COLUMN told_percent;
