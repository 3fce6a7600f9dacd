import type { Agent } from "../../api/gateway";
import { CredentialState } from "../../api/gateway";
import { dateOf } from "../../api/time";
import type { Tone } from "../../ui/Badge";

export interface Health {
  label: string;
  tone: Tone;
}

// Agents give up on a silent stream after 45 s; who was silent longer is missed.
const silentAfterMs = 45_000;

// NONE is a decision of who set the provider up, and UNSPECIFIED no word of trouble.
const serves: ReadonlySet<CredentialState> = new Set([
  CredentialState.UNSPECIFIED,
  CredentialState.OK,
  CredentialState.STALE,
  CredentialState.NONE,
]);

/** healthOf words how an agent is doing, from what it reported. */
export function healthOf(agent: Agent, now: Date): Health {
  if (agent.revokedAt) return { label: "Revoked", tone: "plain" };
  const seen = dateOf(agent.lastSeenAt);
  if (!seen) return { label: "Never reported", tone: "plain" };
  if (now.getTime() - seen.getTime() > silentAfterMs) return { label: "Silent", tone: "bad" };
  if (agent.rejectReasons.length > 0) return { label: "Refused policy", tone: "warn" };
  if (agent.credentials.some((c) => !serves.has(c.state))) return { label: "Lacks credentials", tone: "warn" };
  return { label: "Healthy", tone: "good" };
}
