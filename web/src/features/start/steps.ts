import { mayCreateGateway, mayEnrol, mayListAgents, mayListGateways, maySetGatewayKey } from "../../api/gateway";
import { mayCreateKey, mayListKeys } from "../../api/key";
import type { Provider } from "../../api/provider";
import { mayCreateProvider, mayListProviders, mayUpdateProvider } from "../../api/provider";
import { mayReadReports } from "../../api/report";
import { mayCreateRoute, mayListRoutes } from "../../api/route";
import type { Progress } from "../../api/start";

export type StepId = "provider" | "route" | "gateway" | "credential" | "agent" | "key" | "request";

export interface Step {
  id: StepId;
  /** "unseen": the role may not know. */
  state: "done" | "next" | "open" | "waits" | "unseen";
  /** Whether the role may do it. */
  mine: boolean;
}

const needs: Record<StepId, readonly StepId[]> = {
  provider: [],
  route: ["provider"],
  gateway: [],
  credential: ["provider", "gateway"],
  agent: ["gateway"],
  key: [],
  request: ["route", "agent", "key"],
};

/** Permissions that show whether a step is done. */
const seenBy: Record<StepId, string> = {
  provider: mayListProviders,
  route: mayListRoutes,
  gateway: mayListGateways,
  credential: mayListProviders,
  agent: mayListAgents,
  key: mayListKeys,
  request: mayReadReports,
};

/** Permissions that doing it takes; a request needs a key only, which is no matter of roles. */
const doneBy: Record<StepId, readonly string[]> = {
  provider: [mayCreateProvider],
  route: [mayCreateRoute],
  gateway: [mayCreateGateway],
  credential: [maySetGatewayKey, mayUpdateProvider],
  agent: [mayEnrol],
  key: [mayCreateKey],
  request: [],
};

/** stepsOf are the steps to a first request, in their order, and how it stands with each. */
export function stepsOf(progress: Progress, may: (permission: string) => boolean): Step[] {
  const done = doneOf(progress);
  const ids = (Object.keys(needs) as StepId[]).filter((id) => id !== "credential" || bare(progress).length > 0);
  const next = ids.find((id) => !done[id] && may(seenBy[id]));
  return ids.map((id) => ({
    id,
    state: stateOf(id, done, next, may),
    mine: doneBy[id].every(may),
  }));
}

function stateOf(id: StepId, done: Record<StepId, boolean>, next: StepId | undefined, may: (permission: string) => boolean): Step["state"] {
  if (done[id]) return "done";
  if (!may(seenBy[id])) return "unseen";
  if (id === next) return "next";
  return needs[id].every((one) => done[one] || !may(seenBy[one])) ? "open" : "waits";
}

function doneOf(progress: Progress): Record<StepId, boolean> {
  const { providers = [], routes = [], gateways = [], agents = [], keys = [], requests = [] } = progress;
  return {
    provider: providers.length > 0,
    route: routes.length > 0,
    gateway: gateways.length > 0,
    credential: bare(progress).length === 0,
    agent: agents.some(({ lastSeenAt }) => lastSeenAt),
    key: keys.length > 0,
    request: requests.length > 0,
  };
}

/** bare are the providers that no agent has a credential for. */
export function bare({ providers = [] }: Pick<Progress, "providers">): Provider[] {
  return providers.filter(({ credentialRef, sealedCredentials }) => credentialRef === "" && sealedCredentials.length === 0);
}

/** askWhom says whose role does a step. */
export function askWhom(id: StepId): string {
  return id === "key" ? "an owner or admin" : "an owner, admin or operator";
}
