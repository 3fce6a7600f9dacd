import type { Gateway } from "../../api/gateway";
import type { Rollout } from "../../api/rollout";
import { isStaged, stepNames } from "./settings";

/** Steps shows how far a rollout is, of the steps that the gateway has now. */
export function Steps({ gateway: { rollout: settings }, rollout }: { gateway: Gateway; rollout: Rollout }) {
  if (!isStaged(settings)) return null;
  return (
    <ol className="steps" aria-label="Steps">
      {stepNames(settings).map((name, i) => (
        <li key={name} aria-current={i === rollout.step ? "step" : undefined} className={i < rollout.step ? "step-done" : undefined}>
          {name}
          {i < rollout.step && <span className="sr-only"> (done)</span>}
          {i === rollout.step && <span className="sr-only"> (here)</span>}
        </li>
      ))}
    </ol>
  );
}
