DROP TABLE spent_login;
ALTER TABLE session DROP COLUMN id, DROP COLUMN last_seen_at, DROP COLUMN address, DROP COLUMN user_agent;
