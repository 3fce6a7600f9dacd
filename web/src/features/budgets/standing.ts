import type { Quota, QuotaStanding } from "../../api/quota";
import { QuotaKind, QuotaMode } from "../../api/quota";

/** countsSpent tells whether a quota adds up what is spent; rates and slots have shares of it only. */
export function countsSpent(kind: QuotaKind, standing: QuotaStanding): boolean {
  return kind === QuotaKind.BUDGET || standing.window !== undefined;
}

/** countsApart tells whether each end user or label value is counted by itself. */
export function countsApart({ scope }: Pick<Quota, "scope">): boolean {
  const on = scope?.on;
  return on?.case === "endUser" || (on?.case === "label" && on.value.value === undefined);
}

/** excessOf is what was spent beyond the limit; 0n: nothing. */
export function excessOf({ spent, limit }: QuotaStanding): bigint {
  return spent > limit ? spent - limit : 0n;
}

/** spentTenths is how much of the limit is spent, in tenths of a percent. */
export function spentTenths({ spent, limit }: QuotaStanding): number {
  return limit > 0n ? Number((spent * 1000n) / limit) : 0;
}

const nearTenths = 800;

/** isNear tells whether somebody should look: four fifths spent, used up before its window ends, or waiting for agents. */
export function isNear(quota: Quota): boolean {
  const standings = quota.standing ? [quota.standing] : quota.topSubjects;
  return standings.some(
    (s) =>
      s.waitingAgentIds.length > 0 ||
      s.forecast?.exhaustedAt !== undefined ||
      (countsSpent(quota.kind, s) && (spentTenths(s) >= nearTenths || (s.free <= 0n && quota.mode === QuotaMode.HARD))),
  );
}

/** Part is one section of a bar. */
export interface Part {
  name: "spent" | "held" | "stranded";
  /** Of the bar's length, in thousandths. */
  permille: number;
}

export interface Bar {
  parts: Part[];
  /** Where the limit is, in thousandths; undefined: at the end. */
  limitAt: number | undefined;
}

/**
 * barOf cuts a bar into what is spent, held and stranded; the rest is free. Where that is more than
 * the limit, the bar is as long as all of it and the limit is marked. What agents hold of a quota
 * that is not hard says little, as they get it whatever is free: it fills no more than what is left.
 */
export function barOf({ spent, held, stranded, limit }: QuotaStanding, mode: QuotaMode): Bar {
  const taken = mode === QuotaMode.HARD ? spent + held : spent;
  const whole = taken > limit ? taken : limit;
  const fits = held > whole - spent ? whole - spent : held;
  const lost = stranded > fits ? fits : stranded;
  const of = (amount: bigint) => (whole > 0n && amount > 0n ? Number((amount * 1000n) / whole) : 0);
  const parts: Part[] = [
    { name: "spent", permille: of(spent) },
    { name: "held", permille: of(fits - lost) },
    { name: "stranded", permille: of(lost) },
  ];
  return { parts: parts.filter((part) => part.permille > 0), limitAt: taken > limit ? of(limit) : undefined };
}
