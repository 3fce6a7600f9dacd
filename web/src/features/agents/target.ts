import type { AgentTarget } from "../../api/gateway";
import { TargetState } from "../../api/gateway";
import type { Tone } from "../../ui/Badge";

const states: Record<TargetState, { label: string; tone: Tone }> = {
  [TargetState.UNSPECIFIED]: { label: "Not stated", tone: "plain" },
  [TargetState.CLOSED]: { label: "In use", tone: "good" },
  [TargetState.OPEN]: { label: "Taken out", tone: "bad" },
  [TargetState.HALF_OPEN]: { label: "On trial", tone: "warn" },
};

/** stateOf words whether a target gets requests; a state that this console does not know yet shows its number. */
export function stateOf({ state }: AgentTarget) {
  const known = (states as Record<number, { label: string; tone: Tone } | undefined>)[state];
  return known ?? { label: `State ${state}`, tone: "plain" as const };
}
