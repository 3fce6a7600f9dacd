import { useState } from "react";

import type { Gateway } from "../../api/gateway";
import type { Rollout } from "../../api/rollout";
import { mayGoForward } from "../../api/rollout";
import { dateOf } from "../../api/time";
import { Time } from "../../ui/Value";
import { useMay } from "../session/permission";
import { ForwardDialog } from "./SteerDialogs";

/** Pinned tells that somebody went back, and takes the gateway forward again. */
export function Pinned({ gateway, rollout }: { gateway: Gateway; rollout: Rollout }) {
  const may = useMay();
  const [asking, setAsking] = useState(false);
  const newest = gateway.stage?.configurationVersion ?? 0n;
  return (
    <>
      <div className="notice notice-warn">
        <span>
          <b>Every agent is to have version {String(rollout.baseVersion)} of the configuration,</b> since somebody went back at{" "}
          <Time at={dateOf(rollout.startedAt)} />
          {rollout.reason && `: ${rollout.reason}`}.{" "}
          {newest > rollout.baseVersion && `The newest change, version ${newest}, and all others reach no agent until somebody goes forward.`}
        </span>
        {may(mayGoForward) && (
          <button type="button" className="button" onClick={() => setAsking(true)}>
            Go forward
          </button>
        )}
      </div>
      {asking && <ForwardDialog gateway={gateway} onClose={() => setAsking(false)} />}
    </>
  );
}
