import type { Event } from "../../api/history";
import { formatMoney } from "../../format/money";

export interface RaiseTold {
  amount: string;
  until: Date | undefined;
  reason: string;
}

/** raiseOf reads what was recorded of a raise. */
export function raiseOf({ body }: Pick<Event, "body">): RaiseTold {
  const text = (name: string) => (typeof body?.[name] === "string" ? body[name] : "");
  const nano = text("amountNanoUsd");
  const until = new Date(text("expiresAt"));
  return {
    amount: /^\d+$/.test(nano) ? `+${formatMoney(BigInt(nano))}` : "An amount",
    until: Number.isNaN(until.getTime()) ? undefined : until,
    reason: text("reason"),
  };
}
