import { mayListAlertChannels, useAlertChannelNames } from "../../api/alertChannel";
import type { Budget } from "../../api/budget";
import type { Limit } from "../../api/limit";
import { dateOf } from "../../api/time";
import { Fact } from "../../ui/Facts";
import { Named } from "../../ui/Named";
import { Money, Time } from "../../ui/Value";
import { useNow } from "../../ui/useNow";
import { useMay } from "../session/permission";
import { budgetTold, limitTold } from "./words";

// Said elsewhere, or with more than words.
const elsewhere = new Set(["Name", "Mode", "Alerts"]);

/** BudgetFacts are what people chose of a budget. */
export function BudgetFacts({ budget }: { budget: Budget }) {
  return (
    <>
      {budgetTold(budget, undefined)
        .filter(([name]) => !elsewhere.has(name))
        .map(([name, value]) => (
          <Fact key={name} name={name}>
            {value}
          </Fact>
        ))}
      <Fact name="Alerts">
        <AlertsTold budget={budget} />
      </Fact>
      {budget.lastRaise && <LastRaise raise={budget.lastRaise} />}
      <Fact name="Created">
        <Time at={dateOf(budget.createdAt)} precision="minute" />
      </Fact>
    </>
  );
}

function AlertsTold({ budget: { alertPercents, alertChannelIds } }: { budget: Budget }) {
  const channels = useAlertChannelNames(useMay()(mayListAlertChannels));
  if (alertPercents.length === 0) return <>None</>;
  return (
    <>
      At {alertPercents.join(", ")} %, to{" "}
      {alertChannelIds.map((channel, i) => (
        <span key={channel}>
          {i > 0 && ", "}
          <Named id={channel} names={channels} />
        </span>
      ))}
    </>
  );
}

function LastRaise({ raise }: { raise: NonNullable<Budget["lastRaise"]> }) {
  const ends = dateOf(raise.expiresAt);
  const now = useNow(60_000);
  return (
    <Fact name={ends && ends <= now ? "Last raise, which is over" : "Raised"}>
      <Money nano={raise.amountNanoUsd} /> until <Time at={ends} precision="minute" />
      {raise.reason && <div className="muted">{raise.reason}</div>}
    </Fact>
  );
}

/** LimitFacts are what people chose of a limit. */
export function LimitFacts({ limit }: { limit: Limit }) {
  return (
    <>
      {limitTold(limit)
        .filter(([name]) => !elsewhere.has(name))
        .map(([name, value]) => (
          <Fact key={name} name={name}>
            {value}
          </Fact>
        ))}
      <Fact name="Created">
        <Time at={dateOf(limit.createdAt)} precision="minute" />
      </Fact>
    </>
  );
}
