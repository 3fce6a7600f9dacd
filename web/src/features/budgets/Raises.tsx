import { mayListEvents, useEventsOf } from "../../api/history";
import { dateOf } from "../../api/time";
import { LoadMore } from "../../ui/LoadMore";
import { Async } from "../../ui/State";
import { Time } from "../../ui/Value";
import { useMay } from "../session/permission";
import { raiseOf } from "./raise";

/** Raises are who raised a budget, when and why. */
export function Raises({ budgetId }: { budgetId: string }) {
  return useMay()(mayListEvents) ? <RaiseList budgetId={budgetId} /> : null;
}

function RaiseList({ budgetId }: { budgetId: string }) {
  const result = useEventsOf(budgetId, ["BudgetRaised"]);
  const events = result.data?.pages.flatMap((page) => page.events) ?? [];
  return (
    <section className="facts" aria-label="Raises">
      <h3>Raises, the latest first</h3>
      <Async result={result} what="raises" isEmpty={() => events.length === 0} empty={<p className="muted">It was never raised.</p>}>
        {() => (
          <ul className="quota-raises">
            {events.map((event) => {
              const { amount, until, reason } = raiseOf(event);
              return (
                <li key={String(event.version)}>
                  <span>
                    <b>{amount}</b> {until && <>until <Time at={until} precision="minute" /></>}
                    {reason && <div className="muted">{reason}</div>}
                  </span>
                  <span className="muted quota-when">
                    <Time at={dateOf(event.recordedAt)} precision="minute" />
                    <div>by {actorWords(event.actor?.kind)}</div>
                  </span>
                </li>
              );
            })}
          </ul>
        )}
      </Async>
      <LoadMore query={result} />
    </section>
  );
}

function actorWords(kind: string | undefined): string {
  if (kind === "member") return "a member";
  if (kind === "service_account") return "a service account";
  return kind?.replaceAll("_", " ") || "somebody";
}
