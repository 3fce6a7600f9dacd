import type { AnsweredBy as Answerer } from "../../api/diagnostics";
import { dateOf } from "../../api/time";
import { Fact, Facts } from "../../ui/Facts";
import { Time } from "../../ui/Value";

/** AnsweredByFacts is which agent an answer is of, and what it serves. */
export function AnsweredByFacts({ by }: { by: Answerer }) {
  return (
    <Facts title="Answered by">
      <Fact name="Agent">{by.agentName || by.agentId}</Fact>
      <Fact name="Policy">{by.policyVersion > 0n ? `v${by.policyVersion} of epoch ${by.policyEpoch}` : "none yet"}</Fact>
      <Fact name="Confirmed newest">
        <Time at={dateOf(by.policyConfirmedAt)} absent="not since the agent started" />
      </Fact>
    </Facts>
  );
}
