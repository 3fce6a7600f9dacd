import type { Quota, QuotaStanding } from "../../api/quota";
import { QuotaMode } from "../../api/quota";
import { dateOf } from "../../api/time";
import { formatTenths } from "../../format/number";
import { viewerZone, weekday } from "../../format/time";
import type { Tone } from "../../ui/Badge";
import { Badge } from "../../ui/Badge";
import { Time } from "../../ui/Value";
import { countsSpent, excessOf, spentTenths } from "./standing";
import { amountWords } from "./words";

interface OutlookProps {
  quota: Pick<Quota, "kind" | "unit" | "mode">;
  standing: QuotaStanding;
}

/** Outlook says in a few words how it stands and when it will be used up. */
export function Outlook({ quota, standing }: OutlookProps) {
  const { label, tone } = stateOf(quota, standing);
  const ends = dateOf(standing.forecast?.exhaustedAt);
  const excess = countsSpent(quota.kind, standing) ? excessOf(standing) : 0n;
  return (
    <>
      <Badge tone={tone}>{label}</Badge>
      {ends && (
        <div>
          Used up <span className="nowrap">{weekday(ends, viewerZone())}</span> <Time at={ends} precision="minute" /> at this pace
        </div>
      )}
      {quota.mode === QuotaMode.SHADOW && excess > 0n && (
        <div className="muted">A hard one would have refused {amountWords(quota.unit, excess)}</div>
      )}
    </>
  );
}

const nearTenths = 800;

/** stateOf names how it stands; the worst comes first. */
export function stateOf(quota: Pick<Quota, "kind" | "unit" | "mode">, standing: QuotaStanding): { label: string; tone: Tone } {
  if (standing.waitingAgentIds.length > 0) return { label: "Waits for agents", tone: "bad" };
  if (!countsSpent(quota.kind, standing)) return { label: "Shared by demand", tone: "plain" };
  const hard = quota.mode === QuotaMode.HARD;
  if (standing.spent >= standing.limit) {
    if (hard) return { label: "Used up", tone: "bad" };
    return excessOf(standing) > 0n ? { label: "Beyond its limit", tone: "warn" } : { label: "Used up", tone: "warn" };
  }
  if (hard && standing.free <= 0n) return { label: "All held by agents", tone: "warn" };
  const tenths = spentTenths(standing);
  if (tenths >= nearTenths) return { label: `${formatTenths(tenths)} spent`, tone: "warn" };
  if (standing.forecast?.exhaustedAt) return { label: "Too fast", tone: "warn" };
  if (standing.forecast) return { label: "Lasts", tone: "good" };
  return { label: standing.spent > 0n ? "No forecast" : "Nothing spent", tone: "plain" };
}
