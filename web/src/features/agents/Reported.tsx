import type { Agent } from "../../api/gateway";
import { dateOf } from "../../api/time";
import { formatBytes, formatCount, formatTenths } from "../../format/number";
import { Fact, Facts } from "../../ui/Facts";
import { Ago, Time } from "../../ui/Value";
import { behind } from "./behind";

interface ReportedProps {
  agent: Agent;
  now: Date;
}

/** PolicyFacts is which policy an agent serves, how far behind it is, and what it refused. */
export function PolicyFacts({ agent, now }: ReportedProps) {
  const behindSince = dateOf(agent.behindSince);
  const rejected = dateOf(agent.lastRejectedAt);
  return (
    <Facts title="Policy">
      <Fact name="Serves">
        {agent.policyVersion > 0n ? `v${agent.policyVersion} of epoch ${agent.policyEpoch}` : "no policy yet"}
      </Fact>
      <Fact name="Configuration">{agent.candidate ? "the candidate of a rollout" : "the stable one"}</Fact>
      <Fact name="Lag">
        {behindSince ? (
          <>
            {behind(agent)} behind since <Ago at={behindSince} now={now} />
          </>
        ) : (
          "none"
        )}
      </Fact>
      <Fact name="Revocations in force">up to v{agent.revocationVersion}</Fact>
      {agent.rejectReasons.length > 0 && <Fact name="Refuses the newest">{agent.rejectReasons.join("; ")}</Fact>}
      <Fact name="Refused since its start">{formatCount(agent.policiesRejected)}</Fact>
      {rejected && (
        <Fact name="Last refusal">
          <Time at={rejected} />
          <div>{agent.lastRejectReasons.join("; ")}</div>
        </Fact>
      )}
    </Facts>
  );
}

/** UsageFacts is what an agent served since its start and has not settled yet. */
export function UsageFacts({ agent, now }: ReportedProps) {
  const oldest = dateOf(agent.spoolOldestAt);
  return (
    <Facts title="Requests and usage">
      <Fact name="Requests since its start">{formatCount(agent.requests)}</Fact>
      <Fact name="Failures, not the caller's">
        {formatCount(agent.failures)}
        {agent.requests > 0n && `, ${formatTenths(Number((agent.failures * 1_000n) / agent.requests))}`}
      </Fact>
      <Fact name="In the spool">{`${formatCount(agent.spoolRecords)} records, ${formatBytes(agent.spoolBytes)}`}</Fact>
      <Fact name="Oldest in the spool">{oldest ? <Ago at={oldest} now={now} /> : "none waits"}</Fact>
    </Facts>
  );
}
