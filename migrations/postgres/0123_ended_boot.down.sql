ALTER TABLE quota_agent DROP COLUMN ended_boot;
