-- Where a command came from. What was recorded before knows neither.
ALTER TABLE event
  ADD COLUMN client_address text NOT NULL DEFAULT '',
  ADD COLUMN user_agent     text NOT NULL DEFAULT '';
