-- How each agent does with the credentials of its policy's providers: by provider id,
-- {state, reason, since, fingerprint, fingerprint_key}.
ALTER TABLE agent_status ADD COLUMN credentials jsonb NOT NULL DEFAULT '{}';
