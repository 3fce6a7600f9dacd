import type { AgentTarget } from "../../api/gateway";
import { TargetState } from "../../api/gateway";
import type { Route, Target } from "../../api/route";
import { formatTenths } from "../../format/number";
import type { Tone } from "../../ui/Badge";
import { counted } from "../budgets/words";
import type { Hour } from "../usage/groups";

export interface Health {
  label: string;
  tone: Tone;
}

// In a thousand: below, failures are not what to look at first.
const noticeable = 50n;

/**
 * healthOf words how targets do: by the agents that send them not every request, else by what
 * came of the last hour's. undefined: nothing is known.
 */
export function healthOf(hour: Hour | undefined, troubled: readonly AgentTarget[] | undefined): Health | undefined {
  if (!troubled) return undefined;
  const out = count(troubled, TargetState.OPEN);
  if (out > 0) return { label: `${counted(out, "target")} taken out`, tone: "bad" };
  const tried = count(troubled, TargetState.HALF_OPEN);
  if (tried > 0) return { label: `${counted(tried, "target")} on trial`, tone: "warn" };
  if (!hour) return undefined;
  if (hour.requests === 0n) return { label: "No requests", tone: "plain" };
  const failed = (hour.errors * 1000n) / hour.requests;
  return failed >= noticeable ? { label: `${formatTenths(Number(failed))} failed`, tone: "warn" } : { label: "Healthy", tone: "good" };
}

/** troubledOf are those that a route may send to; shadows answer nobody. */
export function troubledOf({ targets, canary }: Route, troubled: readonly AgentTarget[] | undefined): AgentTarget[] | undefined {
  const own = canary?.target ? [...targets, canary.target] : targets;
  return troubled?.filter((one) => own.some(isOf(one)));
}

/** isOf tells whether an agent speaks of a route's target. */
export function isOf(one: AgentTarget) {
  return ({ providerId, model }: Pick<Target, "providerId" | "model">) => providerId === one.providerId && model === one.model;
}

// However many agents say so of one.
function count(targets: readonly AgentTarget[], state: TargetState): number {
  return new Set(targets.filter((target) => target.state === state).map(({ providerId, model }) => `${providerId}/${model}`)).size;
}
