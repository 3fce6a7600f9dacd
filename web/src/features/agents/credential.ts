import type { AgentCredential } from "../../api/gateway";
import { CredentialState } from "../../api/gateway";
import type { Tone } from "../../ui/Badge";

interface Condition {
  label: string;
  tone: Tone;
}

const conditions: Record<CredentialState, Condition> = {
  [CredentialState.UNSPECIFIED]: { label: "Never said", tone: "plain" },
  [CredentialState.OK]: { label: "Usable", tone: "good" },
  [CredentialState.STALE]: { label: "Old value in use", tone: "warn" },
  [CredentialState.UNAVAILABLE]: { label: "Missing", tone: "bad" },
  [CredentialState.BLOCKED]: { label: "Not allowed by the agent", tone: "bad" },
  [CredentialState.UNOPENED]: { label: "Does not open", tone: "bad" },
  [CredentialState.NONE]: { label: "None for its gateway", tone: "plain" },
};

/** conditionOf words how an agent does with a credential; a state this console does not know yet shows its number. */
export function conditionOf({ state }: AgentCredential): Condition {
  const known = (conditions as Record<number, Condition | undefined>)[state];
  return known ?? { label: `State ${state}`, tone: "plain" };
}
