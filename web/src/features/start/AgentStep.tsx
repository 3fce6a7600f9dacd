import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useState } from "react";

import type { Gateway } from "../../api/gateway";
import { useCreateEnrolmentToken } from "../../api/gateway";
import type { Provider } from "../../api/provider";
import { dateOf } from "../../api/time";
import { newRequestId } from "../../api/transport";
import { FormError } from "../../ui/Form";
import { Segmented } from "../../ui/Segmented";
import { useNow } from "../../ui/useNow";
import { Ago } from "../../ui/Value";
import { Copyable } from "../keys/Copyable";
import type { Way } from "./command";
import { enrolCommand } from "./command";
import type { StepProps } from "./FirstSteps";

/** AgentStep has an agent join, and sees it come. */
export function AgentStep({ step, progress }: StepProps) {
  const { gateways = [], agents = [], providers = [] } = progress;
  const now = useNow(1_000);
  if (step.state === "done") {
    return (
      <ul className="start-list">
        {agents.slice(0, 5).map(({ id, name, lastSeenAt }) => {
          const seen = dateOf(lastSeenAt);
          return (
            <li key={id}>
              <Link to="/agents" search={{ agent: id }}>
                {name}
              </Link>{" "}
              {seen && (
                <span className="muted">
                  reported <Ago at={seen} now={now} />
                </span>
              )}
            </li>
          );
        })}
      </ul>
    );
  }
  const [gateway] = gateways;
  return (
    <>
      <p>An agent runs in your network: applications call it, and it calls the providers. Prompts and answers stay there.</p>
      {gateway && <Enrolment gateway={gateway} providers={providers} primary={step.state === "next"} waiting={<Waiting>Waiting for the agent to join…</Waiting>} />}
    </>
  );
}

interface EnrolmentProps {
  gateway: Gateway;
  providers: readonly Provider[];
  primary: boolean;
  /** What stands below the command until it was run, and after. */
  waiting: ReactNode;
}

/** Enrolment makes a token, and the command with it. */
export function Enrolment({ gateway, providers, primary, waiting }: EnrolmentProps) {
  const create = useCreateEnrolmentToken();
  const make = () => create.mutate({ gatewayId: gateway.id, maxUses: 1, mutation: { requestId: newRequestId() } });
  if (create.data?.token) {
    return (
      <>
        <Command token={create.data.token} gateway={gateway} providers={providers} />
        {waiting}
      </>
    );
  }
  return (
    <>
      <FormError error={create.error} />
      <div className="start-actions">
        <button type="button" className={primary ? "button button-primary" : "button"} disabled={create.isPending} onClick={make}>
          {create.isPending ? "Making…" : `Make a command for ${gateway.name}`}
        </button>
      </div>
    </>
  );
}

const wayOptions: readonly { value: Way; label: string }[] = [
  { value: "shell", label: "Shell" },
  { value: "docker", label: "Docker" },
  { value: "kubernetes", label: "Kubernetes" },
];

const wayWords: Record<Way, string> = {
  shell: "On the machine where it is to run, with the program weir-agent. It listens on 127.0.0.1:8090.",
  docker: "With the image weir-agent that you built. It listens on port 8090.",
  kubernetes: "With the chart of this version; set image.repository to your image. Give it the providers' credentials as a Secret: docs/deploy.md tells how.",
};

function Command({ token, gateway, providers }: { token: string; gateway: Gateway; providers: readonly Provider[] }) {
  const [way, setWay] = useState<Way>("shell");
  return (
    <>
      <div className="start-actions">
        <Segmented label="Way to run the agent" options={wayOptions} value={way} onChange={setWay} />
      </div>
      <p className="muted">{wayWords[way]} The token in it lets one agent join within 24 hours, and is shown only here.</p>
      <Copyable title="Start an agent" text={enrolCommand(way, { url: window.location.origin, token, gateway, providers })} what="command that starts an agent" />
    </>
  );
}

/** Waiting says what will show here by itself. */
export function Waiting({ children }: { children: string }) {
  return (
    <p role="status" className="start-waiting">
      <span className="start-pulse" aria-hidden="true" />
      {children}
    </p>
  );
}
