import type { Quota, QuotaStanding } from "../../api/quota";
import { formatCount, formatTenths } from "../../format/number";
import { barOf, countsSpent, excessOf, spentTenths } from "./standing";
import { amountWords } from "./words";

interface QuotaBarProps {
  quota: Pick<Quota, "kind" | "unit" | "mode">;
  standing: QuotaStanding;
  /** Percents at which somebody is told. */
  marks?: readonly number[];
}

/** QuotaBar draws how much is spent, held, stranded and free, and says it below. */
export function QuotaBar({ quota, standing, marks = [] }: QuotaBarProps) {
  const { parts, limitAt } = barOf(standing, quota.mode);
  const scale = (limitAt ?? 1000) / 100;
  return (
    <div>
      <div className="quota-bar" aria-hidden="true">
        {parts.map(({ name, permille }) => (
          <span key={name} className={`quota-part quota-${name}`} style={{ width: `${permille / 10}%` }} />
        ))}
        {marks.map((percent) => (
          <span key={percent} className="quota-mark" style={{ left: `${(percent * scale) / 10}%` }} />
        ))}
        {limitAt !== undefined && <span className="quota-limit" style={{ left: `${limitAt / 10}%` }} />}
      </div>
      <div className="quota-numbers">{numbersOf(quota, standing)}</div>
    </div>
  );
}

function numbersOf({ kind, unit }: Pick<Quota, "kind" | "unit">, standing: QuotaStanding) {
  const { spent, held, stranded, limit, free } = standing;
  const words = (amount: bigint) => amountWords(unit, amount);
  if (!countsSpent(kind, standing)) {
    return (
      <span>
        <b>{formatCount(held)}</b> of {words(limit)} given to agents
      </span>
    );
  }
  const excess = excessOf(standing);
  return (
    <>
      <span>
        <b>{words(spent)}</b> of {words(limit)} spent{" "}
        <span className="muted">({formatTenths(spentTenths(standing))})</span>
      </span>
      <span className="muted">
        {[
          held > 0n && `${words(held)} held`,
          stranded > 0n && `${words(stranded)} of it stranded`,
          excess > 0n ? `${words(excess)} beyond` : `${words(free)} free`,
        ]
          .filter(Boolean)
          .join(", ")}
      </span>
    </>
  );
}
