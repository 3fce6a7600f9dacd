import { useState } from "react";

import type { Agent, Gateway } from "../../api/gateway";
import { mayListAgents, useAgentNames } from "../../api/gateway";
import type { Names } from "../../api/names";
import type { Rollout } from "../../api/rollout";
import { mayHoldRollout, mayPromoteRollout, mayResumeRollout, PromoteTo, RolloutState } from "../../api/rollout";
import { dateOf } from "../../api/time";
import { Fact, Facts } from "../../ui/Facts";
import { Named } from "../../ui/Named";
import { useNow } from "../../ui/useNow";
import { Ago } from "../../ui/Value";
import { useMay } from "../session/permission";
import { Difference } from "./Difference";
import { PromoteDialog } from "./PromoteDialog";
import { HoldDialog, ResumeDialog } from "./SteerDialogs";
import { Steps } from "./Steps";
import { causeOf } from "./state";

interface UnderWayProps {
  gateway: Gateway;
  rollout: Rollout;
  fleet: readonly Agent[];
}

/** UnderWay shows where a rollout is, why it is held and what it changes. */
export function UnderWay({ gateway, rollout, fleet }: UnderWayProps) {
  const names = useAgentNames(useMay()(mayListAgents));
  const now = useNow(1_000);
  const step = dateOf(rollout.stepAt);
  const started = dateOf(rollout.startedAt);
  return (
    <>
      {rollout.hold && <Hold rollout={rollout} names={names} />}
      <Steps gateway={gateway} rollout={rollout} />
      <div className="rollout-columns">
        <Facts title="Versions of the configuration">
          <Fact name="Candidate">version {String(rollout.candidateVersion)}</Fact>
          <Fact name="Agents with it">
            <Members rollout={rollout} fleet={fleet} names={names} />
          </Fact>
          <Fact name="Stable, of all others">version {String(rollout.baseVersion)}</Fact>
          {step && (
            <Fact name="This step began">
              <Ago at={step} now={now} />
            </Fact>
          )}
          {started && (
            <Fact name="The rollout began">
              <Ago at={started} now={now} />
            </Fact>
          )}
        </Facts>
        <Difference gateway={gateway} from={rollout.baseVersion} to={rollout.candidateVersion} />
      </div>
      <Steering gateway={gateway} rollout={rollout} names={names} />
    </>
  );
}

function Hold({ rollout: { hold }, names }: { rollout: Rollout; names: Names }) {
  if (!hold) return null;
  return (
    <div className="notice notice-warn" role="status">
      <span>
        <b>{causeOf(hold.cause)}.</b> {hold.reason}
        {hold.agentId && (
          <>
            {" "}
            It is about agent <Named id={hold.agentId} names={names} />.
          </>
        )}
      </span>
    </div>
  );
}

// Whether an agent has what it is to have is known of those that are loaded.
function Members({ rollout, fleet, names }: { rollout: Rollout; fleet: readonly Agent[]; names: Names }) {
  const onTheWay = new Set(fleet.filter((agent) => agent.behindSince).map((agent) => agent.id));
  const more = rollout.agentCount - rollout.agentIds.length;
  return (
    <>
      {rollout.agentCount === 1 ? "1 agent: " : `${rollout.agentCount} agents: `}
      {rollout.agentIds.map((id, i) => (
        <span key={id}>
          {i > 0 && ", "}
          <Named id={id} names={names} />
          {onTheWay.has(id) && <span className="muted"> (not there yet)</span>}
        </span>
      ))}
      {more > 0 && ` and ${more} more`}
    </>
  );
}

interface SteeringProps {
  gateway: Gateway;
  rollout: Rollout;
  names: Names;
}

function Steering({ gateway, rollout, names }: SteeringProps) {
  const may = useMay();
  const [open, setOpen] = useState<PromoteTo | "hold" | "resume">();
  const close = () => setOpen(undefined);
  const held = rollout.state === RolloutState.HELD;
  return (
    <div className="rollout-tools">
      {may(mayPromoteRollout) && (
        <>
          <button type="button" className="button button-primary" onClick={() => setOpen(PromoteTo.NEXT_STEP)}>
            Promote to next step
          </button>
          <button type="button" className="button" onClick={() => setOpen(PromoteTo.ALL)}>
            Promote to all
          </button>
        </>
      )}
      {held && may(mayResumeRollout) && (
        <button type="button" className="button" onClick={() => setOpen("resume")}>
          Resume
        </button>
      )}
      {!held && may(mayHoldRollout) && (
        <button type="button" className="button" onClick={() => setOpen("hold")}>
          Hold
        </button>
      )}
      {open === "hold" && <HoldDialog rollout={rollout} onClose={close} />}
      {open === "resume" && <ResumeDialog rollout={rollout} onClose={close} />}
      {typeof open === "number" && <PromoteDialog gateway={gateway} rollout={rollout} to={open} agents={names} onClose={close} />}
    </div>
  );
}
