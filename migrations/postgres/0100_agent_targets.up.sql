-- How the targets of routes do, as each agent's own requests found them: {said_at, targets:
-- [{provider_id, model, state, reason, since, time_to_first_token_us, time_per_token_us,
-- in_flight}], left_out}; {}: it never said.
ALTER TABLE agent_status ADD COLUMN targets jsonb NOT NULL DEFAULT '{}';
