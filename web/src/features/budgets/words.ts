import type { Budget, BudgetWindow } from "../../api/budget";
import { CalendarPeriod } from "../../api/budget";
import type { Limit } from "../../api/limit";
import { LimitMetric, LimitWindow } from "../../api/limit";
import { ForecastConfidence, QuotaMode, QuotaUnit, WhenUnreachable } from "../../api/quota";
import type { Names } from "../../api/names";
import { secondsOf } from "../../api/time";
import { shortId } from "../../format/id";
import { formatMoney } from "../../format/money";
import { formatCount } from "../../format/number";
import type { Told } from "../../ui/Conflict";
import type { BudgetDraft, LimitDraft } from "./draft";

/** amountWords write an amount of a quota in its unit. */
export function amountWords(unit: QuotaUnit, amount: bigint): string {
  switch (unit) {
    case QuotaUnit.NANO_USD:
      return formatMoney(amount);
    case QuotaUnit.REQUESTS:
      return counted(amount, "request");
    case QuotaUnit.TOKENS:
      return counted(amount, "token");
    case QuotaUnit.CONCURRENT_REQUESTS:
      return `${counted(amount, "request")} at once`;
    default:
      return formatCount(amount);
  }
}

/** counted is a number of things: 1 request, 2 requests. */
export function counted(n: bigint | number, what: string): string {
  return `${formatCount(n)} ${what}${Number(n) === 1 ? "" : "s"}`;
}

const modes: Record<QuotaMode, [name: string, does: string]> = {
  [QuotaMode.UNSPECIFIED]: ["Not stated", ""],
  [QuotaMode.OFF]: ["Off", "It is kept, and neither counts nor refuses."],
  [QuotaMode.HARD]: ["Hard", "What goes beyond is refused."],
  [QuotaMode.SOFT]: ["Soft", "What goes beyond is served; alerts tell of it."],
  [QuotaMode.SHADOW]: ["Shadow", "What goes beyond is served; what a hard one would refuse is counted."],
};

/** modeName names a mode; one this console does not know yet shows its number. */
export function modeName(mode: QuotaMode): string {
  return (modes as Record<number, [string, string] | undefined>)[mode]?.[0] ?? `Mode ${mode}`;
}

/** modeWords say what a mode does. */
export function modeWords(mode: QuotaMode): string {
  return (modes as Record<number, [string, string] | undefined>)[mode]?.[1] ?? "";
}

/** choosableModes are those that people choose from. */
export const choosableModes: readonly QuotaMode[] = [QuotaMode.HARD, QuotaMode.SOFT, QuotaMode.SHADOW, QuotaMode.OFF];

/** unreachableWords say what agents do while the control plane is away and they have used up what they were given. */
export function unreachableWords(when: WhenUnreachable, mode: QuotaMode): string {
  const refuses = when === WhenUnreachable.REFUSE || (when === WhenUnreachable.UNSPECIFIED && mode === QuotaMode.HARD);
  return refuses ? "Requests are refused" : "Requests are served";
}

const periods: Record<CalendarPeriod, string> = {
  [CalendarPeriod.UNSPECIFIED]: "Not stated",
  [CalendarPeriod.MINUTE]: "Each minute",
  [CalendarPeriod.HOUR]: "Each hour",
  [CalendarPeriod.DAY]: "Each day",
  [CalendarPeriod.WEEK]: "Each week",
  [CalendarPeriod.MONTH]: "Each month",
  [CalendarPeriod.QUARTER]: "Each quarter",
  [CalendarPeriod.YEAR]: "Each year",
};

/** periodName names a period of the calendar. */
export function periodName(period: CalendarPeriod): string {
  return (periods as Record<number, string | undefined>)[period] ?? `Period ${period}`;
}

/** windowWords say how long a budget counts before it counts anew. */
export function windowWords(window: BudgetWindow | undefined): string {
  switch (window?.window.case) {
    case "calendar":
      return `${periodName(window.window.value.period)}, ${window.window.value.timeZone || "UTC"}`;
    case "rolling":
      return `Rolling, ${spanWords(secondsOf(window.window.value.duration) ?? 0)}`;
    case "lifetime":
      return "For ever";
    default:
      return "–";
  }
}

const spans: readonly [seconds: number, unit: string][] = [
  [86_400, "day"],
  [3_600, "hour"],
  [60, "minute"],
];

/** spanWords write whole minutes in the largest unit that they are a whole number of: 30 days, 90 minutes. */
export function spanWords(seconds: number): string {
  const [size, unit] = spans.find(([size]) => seconds % size === 0) ?? [1, "second"];
  return counted(seconds / size, unit);
}

const limitWindows: Record<LimitWindow, string> = {
  [LimitWindow.UNSPECIFIED]: "At every moment",
  [LimitWindow.SECOND]: "Each second",
  [LimitWindow.MINUTE]: "Each minute",
  [LimitWindow.HOUR]: "Each hour",
  [LimitWindow.DAY]: "Each day",
};

/** limitWindowName says after how long a limit counts anew. */
export function limitWindowName(window: LimitWindow): string {
  return (limitWindows as Record<number, string | undefined>)[window] ?? `Window ${window}`;
}

const metrics: Record<LimitMetric, string> = {
  [LimitMetric.UNSPECIFIED]: "Not stated",
  [LimitMetric.REQUESTS]: "Requests",
  [LimitMetric.TOKENS]: "Tokens, in and out",
  [LimitMetric.CONCURRENT_REQUESTS]: "Requests at once",
};

/** metricName names what a limit counts. */
export function metricName(metric: LimitMetric): string {
  return (metrics as Record<number, string | undefined>)[metric] ?? `Metric ${metric}`;
}

/** unitOf is the unit in which a limit's amount is. */
export function unitOf(metric: LimitMetric): QuotaUnit {
  if (metric === LimitMetric.TOKENS) return QuotaUnit.TOKENS;
  return metric === LimitMetric.CONCURRENT_REQUESTS ? QuotaUnit.CONCURRENT_REQUESTS : QuotaUnit.REQUESTS;
}

/** confidenceWords say how sure a forecast is. */
export function confidenceWords(confidence: ForecastConfidence): string {
  if (confidence === ForecastConfidence.HIGH) return "The windows before went much the same.";
  if (confidence === ForecastConfidence.MEDIUM) return "This window and those before agree roughly.";
  return "A rough guess: there is little to go by.";
}

/** budgetTold is a budget in words. */
export function budgetTold(b: Budget, channels: Names): Told<BudgetDraft> {
  return [
    ["Name", b.name, "name"],
    ["Amount", formatMoney(b.amountNanoUsd), "amount"],
    ["Window", windowWords(b.window), "window"],
    ["Carry-over", b.carryOver ? "What a window leaves is added to the next" : "No", "carryOver"],
    ["Mode", modeName(b.mode), "mode"],
    ["While the control plane is away", unreachableWords(b.whenUnreachable, b.mode), "whenUnreachable"],
    ["Alerts", alertWords(b, channels), "percents", "channels"],
  ];
}

function alertWords({ alertPercents, alertChannelIds }: Budget, channels: Names): string {
  if (alertPercents.length === 0 && alertChannelIds.length === 0) return "None";
  const told = alertChannelIds.map((id) => channels?.get(id) ?? shortId(id)).sort();
  return `At ${alertPercents.join(", ") || "no"} %, to ${told.join(", ") || "no channel"}`;
}

/** limitTold is a limit in words. */
export function limitTold(l: Limit): Told<LimitDraft> {
  return [
    ["Name", l.name, "name"],
    ["Amount", amountWords(unitOf(l.metric), l.amount), "amount"],
    ["Window", limitWindowName(l.window), "window"],
    ["Mode", modeName(l.mode), "mode"],
    ["While the control plane is away", unreachableWords(l.whenUnreachable, l.mode), "whenUnreachable"],
  ];
}
