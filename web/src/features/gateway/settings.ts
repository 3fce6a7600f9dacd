import type { RolloutSettings } from "../../api/rollout";
import { RolloutStrategy } from "../../api/rollout";
import { secondsOf } from "../../api/time";
import { formatSpan } from "../../format/duration";

/** isStaged tells whether changes of configuration come step by step. */
export function isStaged(settings: RolloutSettings | undefined): settings is RolloutSettings {
  return settings?.strategy === RolloutStrategy.CANARY;
}

/** stepNames are the steps of a staged rollout in their order. */
export function stepNames(settings: RolloutSettings): string[] {
  return ["1 agent", ...settings.steps.map((percent) => `${percent} %`), "Every agent"];
}

/** judging is how long a step lasts and what would hold it. */
export function judging(settings: RolloutSettings): string {
  const bake = formatSpan(secondsOf(settings.bakeTime) ?? 0);
  const points = settings.maxErrorRise === 1 ? "1 percentage point" : `${settings.maxErrorRise} percentage points`;
  return (
    `Each step lasts ${bake} at least. It is held when an agent refuses the configuration, when an agent's failures rise by ` +
    `more than ${points} (judged from ${settings.minRequests} requests on), or when its agents fall silent.`
  );
}

/** parseSteps reads "10, 50"; undefined: these are no rising percentages from 1 to 99, at most 10. */
export function parseSteps(written: string): number[] | undefined {
  const parts = written.split(/[\s,;%]+/).filter((part) => part !== "");
  const steps = parts.map(Number);
  const fine = steps.every((step, i) => Number.isInteger(step) && step >= 1 && step <= 99 && step > (steps[i - 1] ?? 0));
  return fine && steps.length <= 10 ? steps : undefined;
}
