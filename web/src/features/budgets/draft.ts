import type { Budget, BudgetInput } from "../../api/budget";
import { CalendarPeriod } from "../../api/budget";
import type { Limit, LimitInput } from "../../api/limit";
import { LimitMetric, LimitWindow } from "../../api/limit";
import { QuotaMode, WhenUnreachable } from "../../api/quota";
import { durationOf, secondsOf } from "../../api/time";
import { parseMoney, writeMoney } from "../../format/money";
import { viewerZone } from "../../format/time";
import type { QuotaScopeName } from "../../routes/search";

/** ScopeDraft is what a new quota is to be about. */
export interface ScopeDraft {
  on: QuotaScopeName;
  /** Of the project, key, route or provider. */
  id: string;
  label: string;
  /** Whether each value of the label counts apart. */
  apart: boolean;
  value: string;
}

/** Of rolling windows, the units that their length is written in, in seconds. */
export const rollingUnits = { minutes: 60, hours: 3_600, days: 86_400 } as const;
export type RollingUnit = keyof typeof rollingUnits;

export interface WindowDraft {
  kind: CalendarPeriod | "rolling" | "lifetime";
  timeZone: string;
  /** As it was written. */
  length: string;
  unit: RollingUnit;
}

export interface BudgetDraft {
  name: string;
  scope: ScopeDraft;
  /** Dollars, as they were written. */
  amount: string;
  window: WindowDraft;
  carryOver: boolean;
  mode: QuotaMode;
  whenUnreachable: WhenUnreachable;
  /** As they were written: 50, 80, 100. */
  percents: string;
  channels: string[];
}

export interface LimitDraft {
  name: string;
  scope: ScopeDraft;
  metric: LimitMetric;
  /** As it was written. */
  amount: string;
  window: LimitWindow;
  mode: QuotaMode;
  whenUnreachable: WhenUnreachable;
}

const noScope: ScopeDraft = { on: "organization", id: "", label: "", apart: false, value: "" };

/** emptyBudget is a new one: of a month on the viewer's clock, refusing. */
export function emptyBudget(): BudgetDraft {
  return {
    name: "",
    scope: noScope,
    amount: "",
    window: { kind: CalendarPeriod.MONTH, timeZone: viewerZone(), length: "30", unit: "days" },
    carryOver: false,
    mode: QuotaMode.HARD,
    whenUnreachable: WhenUnreachable.UNSPECIFIED,
    percents: "",
    channels: [],
  };
}

/** emptyLimit is a new one: of requests a minute, refusing. */
export const emptyLimit: LimitDraft = {
  name: "",
  scope: noScope,
  metric: LimitMetric.REQUESTS,
  amount: "",
  window: LimitWindow.MINUTE,
  mode: QuotaMode.HARD,
  whenUnreachable: WhenUnreachable.ALLOW,
};

/** Paths are the fields that a change sends; a scope never changes. */
export const budgetPaths = ["name", "amount_nano_usd", "window", "carry_over", "alert_percents", "alert_channel_ids", "mode", "when_unreachable"];
export const limitPaths = ["name", "amount", "window", "mode", "when_unreachable"];

/** budgetDraftOf is a budget as its form begins with it. */
export function budgetDraftOf(b: Budget): BudgetDraft {
  return {
    name: b.name,
    scope: noScope,
    amount: writeMoney(b.amountNanoUsd),
    window: windowDraftOf(b.window),
    carryOver: b.carryOver,
    mode: b.mode,
    whenUnreachable: b.whenUnreachable,
    percents: b.alertPercents.join(", "),
    channels: [...b.alertChannelIds],
  };
}

function windowDraftOf(window: Budget["window"]): WindowDraft {
  const begin = emptyBudget().window;
  switch (window?.window.case) {
    case "calendar":
      return { ...begin, kind: window.window.value.period, timeZone: window.window.value.timeZone || "UTC" };
    case "rolling": {
      const seconds = secondsOf(window.window.value.duration) ?? 0;
      const unit = (["days", "hours"] as const).find((u) => seconds % rollingUnits[u] === 0) ?? "minutes";
      return { ...begin, kind: "rolling", length: String(seconds / rollingUnits[unit]), unit };
    }
    default:
      return { ...begin, kind: "lifetime" };
  }
}

/** limitDraftOf is a limit as its form begins with it. */
export function limitDraftOf(l: Limit): LimitDraft {
  const { name, metric, window, mode, whenUnreachable } = l;
  return { name, scope: noScope, metric, amount: String(l.amount), window, mode, whenUnreachable };
}

/** budgetInputOf is what a draft asks for; undefined: its amount or percents can't be read. */
export function budgetInputOf(d: BudgetDraft): BudgetInput | undefined {
  const amountNanoUsd = parseMoney(d.amount);
  const alertPercents = parsePercents(d.percents);
  if (amountNanoUsd === undefined || alertPercents === undefined) return undefined;
  const needsWord = d.mode === QuotaMode.SOFT;
  return {
    name: d.name,
    scope: { on: scopeInput(d.scope) },
    amountNanoUsd,
    window: { window: windowInput(d.window) },
    carryOver: d.carryOver && isCalendar(d.window),
    alertPercents,
    alertChannelIds: d.channels,
    mode: d.mode,
    whenUnreachable: needsWord && d.whenUnreachable === WhenUnreachable.UNSPECIFIED ? WhenUnreachable.ALLOW : d.whenUnreachable,
  };
}

/** limitInputOf is what a draft asks for; undefined: its amount can't be read. */
export function limitInputOf(d: LimitDraft): LimitInput | undefined {
  const amount = parseCount(d.amount);
  if (amount === undefined) return undefined;
  const { name, metric, mode, whenUnreachable } = d;
  const window = metric === LimitMetric.CONCURRENT_REQUESTS ? LimitWindow.UNSPECIFIED : d.window;
  return { name, scope: { on: scopeInput(d.scope) }, metric, amount, window, mode, whenUnreachable };
}

/** isCalendar tells whether a window has a next one. */
export function isCalendar({ kind }: WindowDraft): boolean {
  return typeof kind === "number";
}

type ScopeInput = Exclude<NonNullable<BudgetInput["scope"]>, { $typeName: string }>["on"];

function scopeInput({ on, id, label, apart, value }: ScopeDraft): NonNullable<ScopeInput> {
  switch (on) {
    case "organization":
      return { case: "organization", value: {} };
    case "project":
      return { case: "projectId", value: id };
    case "key":
      return { case: "keyId", value: id };
    case "route":
      return { case: "routeId", value: id };
    case "provider":
      return { case: "providerId", value: id };
    case "end-user":
      return { case: "endUser", value: {} };
    case "label":
      return { case: "label", value: apart ? { name: label } : { name: label, value } };
  }
}

type WindowInput = Exclude<NonNullable<BudgetInput["window"]>, { $typeName: string }>["window"];

function windowInput({ kind, timeZone, length, unit }: WindowDraft): NonNullable<WindowInput> {
  if (kind === "lifetime") return { case: "lifetime", value: {} };
  if (kind === "rolling") return { case: "rolling", value: { duration: durationOf(Number(length) * rollingUnits[unit]) } };
  return { case: "calendar", value: { period: kind, timeZone } };
}

/** parseCount reads a whole number, "1,000"; undefined where it is none. */
export function parseCount(text: string): bigint | undefined {
  const digits = text.trim().replaceAll(",", "");
  return /^\d{1,18}$/.test(digits) ? BigInt(digits) : undefined;
}

/** parsePercents reads "50, 80, 100"; undefined where something of it is no number. */
export function parsePercents(text: string): number[] | undefined {
  const parts = text.split(/[\s,;%]+/).filter((part) => part !== "");
  return parts.every((part) => /^\d{1,3}$/.test(part)) ? parts.map(Number) : undefined;
}
