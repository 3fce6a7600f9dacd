ALTER TABLE policy_epoch DROP COLUMN restored_epoch, DROP COLUMN restored_at;
DROP TABLE quota_account, quota_lease, quota_agent, quota_release;
