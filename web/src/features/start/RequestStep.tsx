import { Link } from "@tanstack/react-router";

import { dateOf } from "../../api/time";
import { useNow } from "../../ui/useNow";
import { Ago } from "../../ui/Value";
import { FirstRequest } from "../keys/FirstRequest";
import { Outcome } from "../requests/Outcome";
import { Waiting } from "./AgentStep";
import type { StepProps } from "./FirstSteps";

/** RequestStep is a line to paste, and the request that came of it. */
export function RequestStep({ step, progress }: StepProps) {
  const now = useNow(1_000);
  const [request] = progress.requests ?? [];
  if (request) {
    const at = dateOf(request.startedAt);
    return (
      <p>
        The newest came {at && <Ago at={at} now={now} />}: <Outcome request={request} />.{" "}
        <Link to="/requests" search={{ request: request.requestId }}>
          Look at it
        </Link>
      </p>
    );
  }
  if (step.state === "waits") return <p className="muted">Once there are a route, an agent and a key, a line to paste stands here.</p>;
  const route = progress.routes?.[0]?.name ?? "your-route";
  return (
    <>
      <p>
        Where the key was created, the same request had the key in it. Here it is read from the shell variable <code>WEIR_KEY</code>.
      </p>
      <div className="form start-form">
        <FirstRequest route={route} />
      </div>
      <Waiting>Waiting for the first request…</Waiting>
    </>
  );
}
