import type { Rollout } from "../../api/rollout";
import { dateOf } from "../../api/time";
import { Badge } from "../../ui/Badge";
import { Scroller } from "../../ui/Scroller";
import { Time } from "../../ui/Value";
import { causeOf, isGoingBack, stageOf } from "./state";

/** RolloutHistory lists rollouts and goings back, newest first. */
export function RolloutHistory({ rollouts }: { rollouts: readonly Rollout[] }) {
  return (
    <Scroller label="Rollouts, table">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">State</th>
            <th scope="col">Began</th>
            <th scope="col" className="wide-only">
              Ended
            </th>
            <th scope="col" className="wide-only">
              Why
            </th>
          </tr>
        </thead>
        <tbody>
          {rollouts.map((rollout) => (
            <Row key={rollout.id} rollout={rollout} />
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

function Row({ rollout }: { rollout: Rollout }) {
  const { label, tone } = stageOf(rollout);
  const why = rollout.hold ? `${causeOf(rollout.hold.cause)}${rollout.hold.reason && `: ${rollout.hold.reason}`}` : rollout.reason;
  return (
    <tr>
      <th scope="row">
        {isGoingBack(rollout) ? `Back to version ${rollout.baseVersion}` : `Version ${rollout.baseVersion} to ${rollout.candidateVersion}`}
        <div className="narrow-only stacked">{why}</div>
      </th>
      <td>
        <Badge tone={tone}>{label}</Badge>
      </td>
      <td>
        <Time at={dateOf(rollout.startedAt)} />
      </td>
      <td className="wide-only">
        <Time at={dateOf(rollout.endedAt)} absent="not yet" />
      </td>
      <td className="wide-only anywhere">{why || <span className="muted">–</span>}</td>
    </tr>
  );
}
