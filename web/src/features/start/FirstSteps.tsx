import "./start.css";
import "../keys/keys.css";

import type { ReactNode } from "react";

import type { Progress } from "../../api/start";
import { useProgress } from "../../api/start";
import { Failure, Loading } from "../../ui/State";
import { useMay } from "../session/permission";
import { AgentStep } from "./AgentStep";
import { CredentialStep } from "./CredentialStep";
import { GatewayStep } from "./GatewayStep";
import { KeyStep } from "./KeyStep";
import { ProviderStep } from "./ProviderStep";
import { RequestStep } from "./RequestStep";
import { RouteStep } from "./RouteStep";
import type { Step, StepId } from "./steps";
import { stepsOf } from "./steps";
import { StepItem } from "./StepItem";

const titles: Record<StepId, string> = {
  provider: "Add a provider",
  route: "Create a route to it",
  gateway: "Create a gateway",
  credential: "Seal the provider's credential",
  agent: "Start an agent",
  key: "Create a key",
  request: "Send the first request",
};

/** StepProps are what each step's panel goes by. */
export interface StepProps {
  step: Step;
  progress: Progress;
}

const panels: Record<StepId, (props: StepProps) => ReactNode> = {
  provider: ProviderStep,
  route: RouteStep,
  gateway: GatewayStep,
  credential: CredentialStep,
  agent: AgentStep,
  key: KeyStep,
  request: RequestStep,
};

/** FirstSteps lead from an empty organization to its first request; each knows from what is there whether it is done. */
export function FirstSteps() {
  const may = useMay();
  const progress = useProgress(may);
  if (progress.loading) return <Loading what="first steps" shape="table" />;
  const steps = stepsOf(progress, may);
  return (
    <>
      {progress.error !== undefined && <Failure error={progress.error} onRetry={progress.refresh} />}
      <p role="status" className="muted start-status">
        {summary(steps)}
      </p>
      <ol className="start-steps">
        {steps.map((step, i) => {
          const Panel = panels[step.id];
          return (
            <StepItem key={step.id} number={i + 1} title={titles[step.id]} step={step}>
              <Panel step={step} progress={progress} />
            </StepItem>
          );
        })}
      </ol>
    </>
  );
}

function summary(steps: readonly Step[]): string {
  const done = steps.filter(({ state }) => state === "done").length;
  const next = steps.find(({ state }) => state === "next");
  if (done === steps.length) return "All done: requests are served and recorded.";
  return `${done} of ${steps.length} done.${next ? ` Next: ${titles[next.id].toLowerCase()}.` : ""}`;
}
