-- Asked for with every token, session and command.
ALTER TABLE organization ADD COLUMN suspended_at timestamptz;
