-- The highest of a budget's alert_percents that was raised of this account.
ALTER TABLE quota_account ADD COLUMN told_percent integer NOT NULL DEFAULT 0;
