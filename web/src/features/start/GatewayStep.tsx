import { useState } from "react";

import { useCreateGateway } from "../../api/gateway";
import { useRequestId } from "../../api/transport";
import { FormError, NameField, TextField } from "../../ui/Form";
import type { StepProps } from "./FirstSteps";

/** GatewayStep makes the fleet that agents join. */
export function GatewayStep({ step, progress }: StepProps) {
  if (step.state === "done") return <p>{(progress.gateways ?? []).map(({ name, region }) => `${name} in ${region}`).join(", ")}</p>;
  return (
    <>
      <p>A gateway is a fleet of agents that serve the same configuration.</p>
      <GatewayForm name="production" primary={step.state === "next"} onMade={progress.refresh} />
    </>
  );
}

interface GatewayFormProps {
  /** What its name begins with. */
  name: string;
  primary: boolean;
  onMade: () => void;
}

/** GatewayForm makes a gateway. */
export function GatewayForm({ name: suggested, primary, onMade }: GatewayFormProps) {
  const create = useCreateGateway();
  const requestId = useRequestId();
  const [draft, setDraft] = useState({ name: suggested, region: usualRegion() });
  const submit = () => create.mutate({ ...draft, mutation: { requestId: requestId(draft) } }, { onSuccess: onMade });
  return (
    <form action={submit} className="form start-form">
      <NameField placeholder="production" value={draft.name} onChange={(name) => setDraft({ ...draft, name })} />
      <TextField
        label="Region"
        required
        maxLength={63}
        placeholder="eu"
        hint="Where its usage is kept. Whoever runs Weir for you says which there are; an installation on one machine has local."
        value={draft.region}
        onChange={(region) => setDraft({ ...draft, region })}
      />
      <FormError error={create.error} />
      <div className="start-actions">
        <button type="submit" className={primary ? "button button-primary" : "button"} disabled={create.isPending}>
          {create.isPending ? "Creating…" : "Create gateway"}
        </button>
      </div>
    </form>
  );
}

// An installation on one machine is reached at that machine.
function usualRegion(): string {
  return ["localhost", "127.0.0.1", "[::1]"].includes(window.location.hostname) ? "local" : "";
}
