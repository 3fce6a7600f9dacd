import type { Provider } from "../../api/provider";
import type { Names } from "../../api/names";
import type { Hedge, Retry, Route, Share, Sticky, Target, Timeouts } from "../../api/route";
import { failureName, StickyBy, stickyByName, strategyName, usualFailures } from "../../api/route";
import { microsOf } from "../../api/time";
import { formatDuration, formatSpan } from "../../format/duration";
import { shortId } from "../../format/id";
import { formatCount } from "../../format/number";
import type { Told } from "../../ui/Conflict";
import type { RouteDraft } from "./draft";

/** spanOf writes a duration: 5 min, 300 ms. */
export function spanOf(duration: Parameters<typeof microsOf>[0]): string {
  const micros = microsOf(duration) ?? 0n;
  if (micros % 1_000_000n === 0n) return formatSpan(Number(micros / 1_000_000n));
  return micros < 1_000_000n && micros % 1_000n === 0n ? `${micros / 1_000n} ms` : formatDuration(micros);
}

/** percentOf writes thousandths as a percentage: 5 %, 0.1 %. */
export function percentOf(perMille: number): string {
  return `${perMille / 10} %`;
}

/** stickyWords says when requests don't stick; what is not said is the agent's own. */
export function stickyWords({ by, minTokens, breakEvenPercent }: Sticky): string {
  const least = minTokens || (by === StickyBy.PROMPT_PREFIX ? 1_024n : 0n);
  const from = least > 0n ? `from ${formatCount(least)} input tokens, ` : "";
  return `${from}stays while it is at most ${breakEvenPercent || 100} % slower than the best other one`;
}

/** hedgeWords says when a second target is asked; what is not said is the agent's own. */
export function hedgeWords({ percentile, minDelay, maxPercent }: Hedge): string {
  const least = minDelay ? spanOf(minDelay) : "50 ms";
  return `after ${percentile || 95} of 100 of the target's own times to first content, not before ${least}, for at most ${maxPercent || 10} % of the requests`;
}

/** timeoutWords are those that are said, by what they bound. */
export function timeoutWords(timeouts: Timeouts | undefined): [string, string][] {
  if (!timeouts) return [];
  const { connect, firstByte, firstToken, idle, total } = timeouts;
  const named = [
    ["Connection within", connect],
    ["First byte within", firstByte],
    ["First token within", firstToken],
    ["Silence at most", idle],
    ["In all at most", total],
  ] as const;
  return named.flatMap(([name, value]): [string, string][] => (value ? [[name, spanOf(value)]] : []));
}

/** extrasOf are the names of what a route does besides its strategy: strict, hedged, canary 5 %. */
export function extrasOf({ strict, hedge, canary, shadow }: Route): string {
  return [strict && "strict", hedge && "hedged", canary && `canary ${percentOf(canary.perMille)}`, shadow && `shadow ${percentOf(shadow.perMille)}`]
    .filter(Boolean)
    .join(", ");
}

/** queueWords say what waits where the provider's account has little left. */
export function queueWords(queue: Provider["queue"]): string {
  if (!queue) return "nothing waits";
  return `${formatCount(queue.maxRequests)} at most for each model, up to ${formatDuration(queue.maxWaitMs * 1_000n)}`;
}

/** routeTold is what people choose of a route, in words, to be compared. */
export function routeTold(route: Route, providers: Names, projects: Names): Told<RouteDraft> {
  const share = ({ perMille, target }: Share) => `${percentOf(perMille)} to ${target ? targetWords(target, providers) : "nothing"}`;
  return [
    ["Name", route.name, "name"],
    ["Strategy", strategyName(route.strategy), "strategy"],
    ["Alike in", route.sticky ? `${likenessWords(route.sticky)}, ${stickyWords(route.sticky)}` : "not asked", "sticky"],
    ["Targets", route.targets.map((target) => targetWords(target, providers)).join("; "), "targets"],
    ["Strict", route.strict ? "yes" : "no", "strict"],
    ["Hedge", route.hedge ? hedgeWords(route.hedge) : "none", "hedge"],
    ["Canary", route.canary ? share(route.canary) : "none", "canary"],
    ["Shadow", route.shadow ? share(route.shadow) : "none", "shadow"],
    ["Retries", retryWords(route.retry), "retry"],
    ["Timeouts", saidTimeouts(route.timeouts), "timeouts"],
    ["Projects", route.allowedProjectIds.map((id) => projects?.get(id) ?? shortId(id)).join(", ") || "every project", "everyProject", "projectIds"],
  ];
}

/** targetWords name a target, its weight and its condition. */
function targetWords({ providerId, model, weight, when }: Target, providers: Names): string {
  const weighs = weight > 0 ? ` (weight ${weight})` : "";
  return `${providers?.get(providerId) ?? shortId(providerId)} / ${model}${weighs}${when && ` only when ${when}`}`;
}

function likenessWords({ by, header }: Sticky): string {
  return by === StickyBy.HEADER ? header : stickyByName(by);
}

function retryWords(retry: Retry | undefined): string {
  const on = retry && retry.on.length > 0 ? retry.on : usualFailures;
  const attempts = retry?.maxAttempts ? `${retry.maxAttempts} attempts` : "each target once, 5 attempts in all";
  return `${attempts}, first repeat after up to ${retry?.backoff ? spanOf(retry.backoff) : "100 ms"}, after ${on.map(failureName).join(", ")}`;
}

/** saidTimeouts are those that are said, in a line. */
export function saidTimeouts(timeouts: Timeouts | undefined): string {
  return timeoutWords(timeouts).map(([name, value]) => `${name.toLowerCase()} ${value}`).join(", ") || "none";
}
