// What an agent's error codes mean to somebody who looks after applications. The
// agent's own messages go to the caller; they are not recorded.
const meanings: Record<string, string> = {
  route_unknown:
    "The application asked for a model that is no route of this gateway. What it asked for is not recorded. Add a route of that name, or correct model in the application.",
  route_not_allowed: "The key may not use this route. Make a key that may, or call another route.",
  route_not_served:
    "No provider of this route is in the regions that the gateway allows. Add a target there, or call another route; GetGateway lists such routes.",
  no_target_matches: "Every target of the route has a condition, and none was true of this request. A dry run shows what each looks at.",
  not_translatable: "The route is strict, and no target's dialect can carry the request whole. The answer names the fields.",
  dialect_mismatch: "No provider of the route serves this path. Add a target of a dialect that does, or call another route.",
  model_missing: "The request names no model. Set model to the name of a route.",
  invalid_header:
    "A header by which the application speaks to the agent, such as X-Weir-Metadata, has a form that is not taken. The answer names it; docs/headers.md has the forms.",
  invalid_json: "The request body is no JSON object.",
  invalid_form: "The request body is no form that all readers would read alike.",
  invalid_request: "The request can't be put into the dialect of the route's provider. The answer names the field.",
  unsupported_field: "The request asks for what a provider keeps between requests, which can't be served here. The answer names the field.",
  body_too_large: "The request body is larger than the gateway takes.",
  body_unreadable: "The request body ended early: the application or a proxy before the agent broke off.",
  body_timeout: "The request body came too slowly.",
  key_missing: "No key was sent.",
  key_unknown: "The key is not in the policy of this gateway.",
  key_revoked: "The key was revoked.",
  key_expired: "The key has expired.",
  key_rotated: "The key has a new secret, and the time of the one that was sent is over. Give the application the new one.",
  unsupported_surface: "The agent does not serve this path.",
  method_not_allowed: "The agent does not serve this path for this method.",
  no_policy: "The agent had no policy yet.",
  policy_refused: "The agent refused the policy that it received and has no other. Its details, and its /readyz, tell why.",
  agent_stopping: "The agent was told to stop, and the request lasted longer than its WEIR_DRAIN_TIMEOUT.",
  spool_full: "The agent had no space left to record usage, so it let nothing through.",
  spool_unavailable: "The agent could not record usage, so it let nothing through.",
  provider_not_allowed: "The agent's own configuration does not allow this provider's address.",
  credential_unavailable: "The agent has no credential for the provider: look at its environment or secret files.",
  credential_rejected: "The provider rejected the agent's credential: it may be wrong, expired or without rights.",
  upstream_unreachable: "The provider could not be reached.",
  upstream_timeout: "The provider did not answer in time.",
  upstream_broke: "The provider broke off its answer.",
  upstream_redirected: "The provider answered with a redirect, which is not followed. Correct its base URL.",
  upstream_malformed: "The provider's answer could not be read.",
  upstream_empty: "The provider sent no answer.",
  upstream_too_large: "The provider's answer is larger than the agent takes.",
};

/** meaningOf explains an error code; undefined for one this console does not know, such as a provider's own. */
export function meaningOf(code: string): string | undefined {
  return Object.hasOwn(meanings, code) ? meanings[code] : undefined;
}
