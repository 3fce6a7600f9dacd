import type { AgentTarget } from "../../api/gateway";
import { TargetState, useAgentTargets } from "../../api/gateway";
import type { Names } from "../../api/names";
import { dateOf, microsOf } from "../../api/time";
import { formatDuration } from "../../format/duration";
import { formatCount } from "../../format/number";
import type { Tone } from "../../ui/Badge";
import { Badge } from "../../ui/Badge";
import { Named } from "../../ui/Named";
import { Async } from "../../ui/State";
import { Ago } from "../../ui/Value";

interface TargetListProps {
  agentId: string;
  providers: Names;
  now: Date;
}

/** TargetList says how one agent's own requests find the targets that they tried. */
export function TargetList({ agentId, providers, now }: TargetListProps) {
  const result = useAgentTargets(agentId);
  return (
    <section className="facts">
      <h3>Targets</h3>
      <Async result={result} what="targets" isEmpty={(d) => d.targets.length === 0} empty={<p className="muted">It has told of none: no request tried one since its start.</p>}>
        {({ targets, leftOut, unreported }) => (
          <>
            <ul className="credentials" aria-label="Targets">
              {targets.map((target) => (
                <Target key={`${target.providerId}/${target.model}`} target={target} providers={providers} now={now} />
              ))}
            </ul>
            <Rest count={BigInt(leftOut) + unreported} />
          </>
        )}
      </Async>
    </section>
  );
}

function Rest({ count }: { count: bigint }) {
  if (count === 0n) return null;
  return <p className="muted">{formatCount(count)} more found no room here.</p>;
}

function Target({ target, providers, now }: { target: AgentTarget; providers: Names; now: Date }) {
  const { label, tone } = stateOf(target);
  const since = dateOf(target.since);
  return (
    <li>
      <div className="credential-head">
        <span>
          <Named id={target.providerId} names={providers} />
          <span className="muted"> / </span>
          {target.model}
        </span>
        <Badge tone={tone}>{label}</Badge>
      </div>
      {target.reason && <div className="muted">{target.reason}</div>}
      <div className="muted">
        {measured(target)}
        {since && (
          <>
            ; so since <Ago at={since} now={now} />
          </>
        )}
      </div>
    </li>
  );
}

function measured({ timeToFirstToken, timePerToken, inFlight }: AgentTarget): string {
  const first = microsOf(timeToFirstToken);
  const each = microsOf(timePerToken);
  return [
    first === undefined ? "first token: not known yet" : `first token expected after ${formatDuration(first)}`,
    each !== undefined && `${formatDuration(each)} per token`,
    `${formatCount(inFlight)} in flight`,
  ]
    .filter(Boolean)
    .join(", ");
}

const states: Record<TargetState, { label: string; tone: Tone }> = {
  [TargetState.UNSPECIFIED]: { label: "Not stated", tone: "plain" },
  [TargetState.CLOSED]: { label: "In use", tone: "good" },
  [TargetState.OPEN]: { label: "Taken out", tone: "bad" },
  [TargetState.HALF_OPEN]: { label: "On trial", tone: "warn" },
};

function stateOf({ state }: AgentTarget) {
  const known = (states as Record<number, { label: string; tone: Tone } | undefined>)[state];
  return known ?? { label: `State ${state}`, tone: "plain" as const };
}
