import { useState } from "react";

import { RouteDialog } from "../routing/RouteDialog";
import { noTarget } from "../routing/draft";
import type { StepProps } from "./FirstSteps";

/** RouteStep makes the name that applications write as the model. */
export function RouteStep({ step, progress }: StepProps) {
  const [open, setOpen] = useState(false);
  const { providers = [], routes = [] } = progress;
  if (step.state === "done") return <p>{routes.map(({ name }) => name).join(", ")}</p>;
  const close = () => {
    setOpen(false);
    progress.refresh();
  };
  return (
    <>
      <p>
        A route is the name that applications write in <code>model</code>. It says which provider and model answer.
      </p>
      {providers.length > 0 && (
        <div className="start-actions">
          <button type="button" className={step.state === "next" ? "button button-primary" : "button"} onClick={() => setOpen(true)}>
            Create route
          </button>
        </div>
      )}
      {open && (
        <RouteDialog
          suggested={{ name: "chat", targets: [{ ...noTarget, providerId: providers[0]?.id ?? "" }] }}
          providers={new Map(providers.map(({ id, name }) => [id, name]))}
          onClose={close}
        />
      )}
    </>
  );
}
