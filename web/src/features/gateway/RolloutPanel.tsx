import { useState } from "react";

import type { Agent, Gateway } from "../../api/gateway";
import { mayUpdateGateway } from "../../api/gateway";
import type { Rollout } from "../../api/rollout";
import { mayGetRollout, mayGoBack, RolloutState, useRollout } from "../../api/rollout";
import { Badge } from "../../ui/Badge";
import { Panel } from "../../ui/Page";
import { Async } from "../../ui/State";
import { useMay } from "../session/permission";
import { GoBackDialog } from "./GoBackDialog";
import { Pinned } from "./Pinned";
import { SettingsDialog } from "./SettingsDialog";
import { isStaged, judging } from "./settings";
import { stageOf } from "./state";
import { UnderWay } from "./UnderWay";

interface RolloutPanelProps {
  gateway: Gateway;
  /** Those that are loaded. */
  fleet: readonly Agent[];
  /** The version whose configuration agents had before the present one; 0: not known. */
  before: bigint;
}

/** RolloutPanel shows how configuration comes to the gateway's agents, and steers it. */
export function RolloutPanel({ gateway, fleet, before }: RolloutPanelProps) {
  const may = useMay();
  const [open, setOpen] = useState<"settings" | "back">();
  const rolloutId = gateway.stage?.rolloutId ?? "";
  const result = useRollout(rolloutId, may(mayGetRollout));
  const rollout = result.data?.rollout;
  const close = () => setOpen(undefined);
  return (
    <Panel title="Rollout" aside={<Standing gateway={gateway} rollout={rolloutId ? rollout : undefined} />}>
      <div className="rollout">
        <Policy gateway={gateway} />
        {rolloutId && may(mayGetRollout) ? (
          <Async result={result} what="rollout" isEmpty={(d) => !d.rollout} empty={null}>
            {(data) => data.rollout && <Open gateway={gateway} rollout={data.rollout} fleet={fleet} />}
          </Async>
        ) : (
          <Idle gateway={gateway} />
        )}
        <div className="rollout-tools">
          {may(mayUpdateGateway) && (
            <button type="button" className="button" onClick={() => setOpen("settings")}>
              Rollout settings
            </button>
          )}
          {may(mayGoBack) && (
            <button type="button" className="button button-danger" onClick={() => setOpen("back")}>
              Go back…
            </button>
          )}
        </div>
      </div>
      {open === "settings" && <SettingsDialog gateway={gateway} onClose={close} />}
      {open === "back" && <GoBackDialog gateway={gateway} proposed={before} onClose={close} />}
    </Panel>
  );
}

function Standing({ gateway, rollout }: { gateway: Gateway; rollout: Rollout | undefined }) {
  if (rollout) {
    const { label, tone } = stageOf(rollout);
    return <Badge tone={tone}>{label}</Badge>;
  }
  return <Badge tone="plain">{isStaged(gateway.rollout) ? "None under way" : "All at once"}</Badge>;
}

function Policy({ gateway: { rollout } }: { gateway: Gateway }) {
  return (
    <p className="muted">
      {isStaged(rollout)
        ? `Changes of configuration come step by step. ${judging(rollout)}`
        : "Changes of configuration (providers, routes, prices, the gateway's settings) come to every agent at once."}{" "}
      Keys and revocations always reach every agent at once.
    </p>
  );
}

function Open({ gateway, rollout, fleet }: { gateway: Gateway; rollout: Rollout; fleet: readonly Agent[] }) {
  if (rollout.state === RolloutState.PINNED) return <Pinned gateway={gateway} rollout={rollout} />;
  return <UnderWay gateway={gateway} rollout={rollout} fleet={fleet} />;
}

function Idle({ gateway: { rollout, stage } }: { gateway: Gateway }) {
  if (!isStaged(rollout) || !stage) return null;
  const waits = stage.configurationVersion > stage.stableVersion;
  return (
    <p>
      Every agent is to have version {String(stage.stableVersion)} of the configuration.
      {waits && ` Version ${stage.configurationVersion} waits: it begins when an agent is connected.`}
    </p>
  );
}
