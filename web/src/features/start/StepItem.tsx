import type { ReactNode } from "react";
import { useId } from "react";

import type { Step } from "./steps";
import { askWhom } from "./steps";

interface StepItemProps {
  number: number;
  title: string;
  step: Step;
  children: ReactNode;
}

const states: Record<Step["state"], string> = { done: "Done", next: "Next", open: "To do", waits: "Later", unseen: "Not shown to your role" };

/** StepItem is one step: what it is, how it stands, and how to do it. */
export function StepItem({ number, title, step, children }: StepItemProps) {
  const heading = useId();
  const { state, mine } = step;
  return (
    <li className={`panel start-step start-${state}`} aria-labelledby={heading} aria-current={state === "next" ? "step" : undefined}>
      <span className="start-mark" aria-hidden="true">
        {state === "done" ? <Check /> : number}
      </span>
      <div className="start-body">
        <div className="start-head">
          <h2 id={heading}>{title}</h2>
          <span className="muted">{states[state]}</span>
        </div>
        {state !== "done" && !mine ? <p className="muted">Your role may not do this. Ask {askWhom(step.id)} of your organization.</p> : children}
      </div>
    </li>
  );
}

function Check() {
  return (
    <svg viewBox="0 0 16 16">
      <path d="M3.5 8.5l3 3 6-7" />
    </svg>
  );
}
