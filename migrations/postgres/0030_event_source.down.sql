ALTER TABLE event DROP COLUMN client_address, DROP COLUMN user_agent;
