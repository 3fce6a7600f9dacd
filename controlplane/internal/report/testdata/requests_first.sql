SELECT
  request_id, started_at, route, project_id, key_id, provider, model, streamed, outcome, status, error_code,
  input_tokens, output_tokens, cost_usd, duration_us, time_to_first_token_us, policy_version, attempts,
  price_book_version, gateway_id, surface, end_user, run_id, labels,
  refused_by_quota_id, beyond_quota_ids, queued_us, started_at
FROM requests
WHERE (true) AND (true)
ORDER BY started_at DESC, request_id DESC
LIMIT {size:UInt16}
