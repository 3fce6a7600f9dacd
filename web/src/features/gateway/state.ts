import type { Rollout } from "../../api/rollout";
import { RolloutHoldCause, RolloutState } from "../../api/rollout";
import type { Tone } from "../../ui/Badge";

interface Stage {
  label: string;
  tone: Tone;
}

const stages: Record<RolloutState, Stage> = {
  [RolloutState.UNSPECIFIED]: { label: "Not stated", tone: "plain" },
  [RolloutState.RUNNING]: { label: "Under way", tone: "good" },
  [RolloutState.HELD]: { label: "Held", tone: "warn" },
  [RolloutState.FINISHED]: { label: "Finished", tone: "good" },
  [RolloutState.ABANDONED]: { label: "Abandoned", tone: "plain" },
  [RolloutState.PINNED]: { label: "Pinned", tone: "warn" },
  [RolloutState.UNPINNED]: { label: "Ended", tone: "plain" },
};

/** stageOf words where a rollout is; a state this console does not know yet shows its number. */
export function stageOf({ state }: Rollout): Stage {
  return (stages as Record<number, Stage | undefined>)[state] ?? { label: `State ${state}`, tone: "plain" };
}

const causes: Record<RolloutHoldCause, string> = {
  [RolloutHoldCause.UNSPECIFIED]: "Held",
  [RolloutHoldCause.REQUESTED]: "Held by request",
  [RolloutHoldCause.REJECTED]: "Held: an agent refused the configuration",
  [RolloutHoldCause.ERROR_RATE]: "Held: more requests fail than before",
  [RolloutHoldCause.LOST]: "Held: its agents are silent",
};

/** causeOf words why a rollout is held. */
export function causeOf(cause: RolloutHoldCause): string {
  return (causes as Record<number, string | undefined>)[cause] ?? causes[RolloutHoldCause.UNSPECIFIED];
}

/** isGoingBack tells a going back from a rollout. */
export function isGoingBack({ candidateVersion }: Rollout): boolean {
  return candidateVersion === 0n;
}
