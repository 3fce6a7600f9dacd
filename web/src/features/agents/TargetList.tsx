import type { ReactNode } from "react";

import type { AgentTarget, TargetsOf } from "../../api/gateway";
import { useAgentTargets } from "../../api/gateway";
import { dateOf, microsOf } from "../../api/time";
import { formatDuration } from "../../format/duration";
import { formatCount } from "../../format/number";
import { Badge } from "../../ui/Badge";
import { Async } from "../../ui/State";
import { Ago } from "../../ui/Value";
import { stateOf } from "./target";

interface TargetListProps {
  of: TargetsOf;
  /** What it is called in the list, which is of others that are partly the same. */
  nameOf: (target: AgentTarget) => ReactNode;
  /** Why there may be none. */
  none: string;
  now: Date;
}

/** TargetList says how agents' own requests find the targets that they tried. */
export function TargetList({ of, nameOf, none, now }: TargetListProps) {
  const result = useAgentTargets(of);
  return (
    <Async result={result} what="targets" isEmpty={(d) => d.targets.length === 0} empty={<p className="muted">{none}</p>}>
      {({ targets, leftOut, unreported }) => (
        <>
          <ul className="credentials" aria-label="Targets">
            {targets.map((target) => (
              <Target key={`${target.providerId}/${target.model}/${target.agentId}`} target={target} name={nameOf(target)} now={now} />
            ))}
          </ul>
          <Rest count={BigInt(leftOut) + unreported} />
        </>
      )}
    </Async>
  );
}

function Rest({ count }: { count: bigint }) {
  if (count === 0n) return null;
  return <p className="muted">{formatCount(count)} more found no room here.</p>;
}

function Target({ target, name, now }: { target: AgentTarget; name: ReactNode; now: Date }) {
  const { label, tone } = stateOf(target);
  const since = dateOf(target.since);
  return (
    <li>
      <div className="credential-head">
        <span>{name}</span>
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
