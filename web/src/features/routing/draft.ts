import { equals, toBinary } from "@bufbuild/protobuf";

import type { Route, RouteInput, Share, Target, Timeouts } from "../../api/route";
import { Failure, routeOf, RouteSchema, Strategy, StickyBy } from "../../api/route";
import { durationOf, secondsOf } from "../../api/time";

export interface TargetDraft {
  providerId: string;
  model: string;
  /** 1 to 1000 of a weighted route, else 0. */
  weight: number;
  /** "": always. */
  when: string;
}

/** Numbers that may be left out are as they were written; "": the agent's own. */
export interface StickyDraft {
  by: StickyBy;
  header: string;
  minTokens: string;
  breakEvenPercent: string;
}

export interface HedgeDraft {
  percentile: string;
  /** ms */
  minDelay: string;
  maxPercent: string;
}

export interface ShareDraft {
  target: TargetDraft;
  /** Of the requests, 0.1 to 100. */
  percent: string;
}

export interface RetryDraft {
  maxAttempts: string;
  /** ms */
  backoff: string;
  on: Failure[];
}

/** TimeoutsDraft is in seconds. */
export interface TimeoutsDraft {
  connect: string;
  firstByte: string;
  firstToken: string;
  idle: string;
  total: string;
}

export interface RouteDraft {
  name: string;
  strategy: Strategy;
  targets: TargetDraft[];
  strict: boolean;
  /** What is written here stays while another strategy is chosen; it goes along with STICKY only. */
  sticky: StickyDraft;
  /** undefined: there is none. */
  hedge: HedgeDraft | undefined;
  canary: ShareDraft | undefined;
  shadow: ShareDraft | undefined;
  retry: RetryDraft;
  timeouts: TimeoutsDraft;
  /** Whether keys of every project may use it; else those of projectIds. */
  everyProject: boolean;
  projectIds: string[];
}

/** paths are the fields that a draft changes. */
export const paths = ["name", "strategy", "targets", "strict", "sticky", "hedge", "canary", "shadow", "retry", "timeouts", "allowed_project_ids"];

export const noTarget: TargetDraft = { providerId: "", model: "", weight: 1, when: "" };
export const noHedge: HedgeDraft = { percentile: "", minDelay: "", maxPercent: "" };
export const noShare: ShareDraft = { target: { ...noTarget, weight: 0 }, percent: "5" };

export const noTimeouts: TimeoutsDraft = { connect: "", firstByte: "", firstToken: "", idle: "", total: "" };

/** emptyDraft is of a new route. */
export const emptyDraft: RouteDraft = {
  name: "",
  strategy: Strategy.SINGLE,
  targets: [noTarget],
  strict: false,
  sticky: { by: StickyBy.PROMPT_PREFIX, header: "", minTokens: "", breakEvenPercent: "" },
  hedge: undefined,
  canary: undefined,
  shadow: undefined,
  retry: { maxAttempts: "", backoff: "", on: [] },
  timeouts: noTimeouts,
  everyProject: true,
  projectIds: [],
};

/** draftOf is a route as its form begins with it. */
export function draftOf(route: Route): RouteDraft {
  const { name, strategy, strict, sticky, hedge, canary, shadow, retry, timeouts } = route;
  return {
    name,
    strategy,
    strict,
    everyProject: route.allowedProjectIds.length === 0,
    projectIds: [...route.allowedProjectIds],
    targets: route.targets.map(targetOf),
    sticky: sticky
      ? { by: sticky.by, header: sticky.header, minTokens: said(sticky.minTokens), breakEvenPercent: said(sticky.breakEvenPercent) }
      : emptyDraft.sticky,
    hedge: hedge && { percentile: said(hedge.percentile), minDelay: milliseconds(hedge.minDelay), maxPercent: said(hedge.maxPercent) },
    canary: canary && shareOf(canary),
    shadow: shadow && shareOf(shadow),
    retry: retry ? { maxAttempts: said(retry.maxAttempts), backoff: milliseconds(retry.backoff), on: [...retry.on] } : emptyDraft.retry,
    timeouts: timeoutsDraftOf(timeouts),
  };
}

/** timeoutsDraftOf are bounds as a form begins with them. */
export function timeoutsDraftOf(timeouts: Timeouts | undefined): TimeoutsDraft {
  return {
    connect: seconds(timeouts?.connect),
    firstByte: seconds(timeouts?.firstByte),
    firstToken: seconds(timeouts?.firstToken),
    idle: seconds(timeouts?.idle),
    total: seconds(timeouts?.total),
  };
}

/** timeoutsInput are the bounds that a draft asks for; nothing where it asks for none. */
export function timeoutsInput(timeouts: TimeoutsDraft): Pick<RouteInput, "timeouts"> {
  if (!Object.values(timeouts).some(Boolean)) return {};
  return {
    timeouts: {
      ...lasting("connect", timeouts.connect),
      ...lasting("firstByte", timeouts.firstByte),
      ...lasting("firstToken", timeouts.firstToken),
      ...lasting("idle", timeouts.idle),
      ...lasting("total", timeouts.total),
    },
  };
}

/**
 * inputOf is what a draft asks for. A weight has no meaning with another strategy, a single
 * route has one target, and what says nothing is left out.
 */
export function inputOf(draft: RouteDraft): RouteInput {
  const { name, strategy, strict, sticky, hedge, canary, shadow, retry, timeouts } = draft;
  const targets = strategy === Strategy.SINGLE ? draft.targets.slice(0, 1) : draft.targets;
  const header = sticky.by === StickyBy.HEADER ? sticky.header : "";
  return {
    name,
    strategy,
    strict,
    allowedProjectIds: draft.everyProject ? [] : draft.projectIds,
    targets: strategy === Strategy.WEIGHTED ? targets : targets.map((target) => ({ ...target, weight: 0 })),
    ...(strategy === Strategy.STICKY && {
      sticky: { by: sticky.by, header, minTokens: BigInt(Math.trunc(Number(sticky.minTokens))), breakEvenPercent: Number(sticky.breakEvenPercent) },
    }),
    ...(hedge && { hedge: { percentile: Number(hedge.percentile), maxPercent: Number(hedge.maxPercent), ...lasting("minDelay", hedge.minDelay, 1_000) } }),
    ...(canary && { canary: shareInput(canary) }),
    ...(shadow && { shadow: shareInput({ ...shadow, target: { ...shadow.target, when: "" } }) }),
    ...((retry.maxAttempts || retry.backoff || retry.on.length > 0) && {
      retry: { maxAttempts: Number(retry.maxAttempts), on: retry.on, ...lasting("backoff", retry.backoff, 1_000) },
    }),
    ...timeoutsInput(timeouts),
  };
}

/** forNobody tells of a draft that is for some projects, and names none: sent, it would be for all. */
export function forNobody({ everyProject, projectIds }: RouteDraft): boolean {
  return !everyProject && projectIds.length === 0;
}

/** completeInput is undefined while something is not written yet without which there is no route, or is no number that can be sent. */
export function completeInput(draft: RouteDraft): RouteInput | undefined {
  if (forNobody(draft)) return undefined;
  try {
    const input = inputOf(draft);
    toBinary(RouteSchema, routeOf(input));
    const targets = [...(input.targets ?? []), ...[input.canary, input.shadow].flatMap((share) => (share?.target ? [share.target] : []))];
    return input.name && targets.every(({ providerId, model }) => providerId && model) ? input : undefined;
  } catch {
    return undefined;
  }
}

/** alike tells whether two inputs ask for the same. */
export function alike(a: RouteInput | undefined, b: RouteInput | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && equals(RouteSchema, routeOf(a), routeOf(b)));
}

function targetOf({ providerId, model, weight, when }: Target): TargetDraft {
  return { providerId, model, weight, when };
}

function shareOf({ target, perMille }: Share): ShareDraft {
  return { target: target ? targetOf(target) : noShare.target, percent: String(perMille / 10) };
}

function shareInput({ target, percent }: ShareDraft) {
  return { target: { ...target, weight: 0 }, perMille: Math.round(Number(percent) * 10) };
}

function said(value: bigint | number): string {
  return Number(value) === 0 ? "" : String(value);
}

function seconds(duration: Parameters<typeof secondsOf>[0]): string {
  const value = secondsOf(duration);
  return value === undefined ? "" : String(value);
}

function milliseconds(duration: Parameters<typeof secondsOf>[0]): string {
  const value = secondsOf(duration);
  return value === undefined ? "" : String(Math.round(value * 1_000));
}

// lasting is a field with a duration, and nothing where nothing was written.
function lasting<K extends string>(name: K, written: string, perSecond = 1) {
  if (written === "") return {} as Partial<Record<K, ReturnType<typeof durationOf>>>;
  return { [name]: durationOf(Number(written) / perSecond) } as Partial<Record<K, ReturnType<typeof durationOf>>>;
}
