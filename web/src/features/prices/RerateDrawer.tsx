import type { Rerate } from "../../api/rerate";
import { RerateState, useRerate } from "../../api/rerate";
import { dateOf } from "../../api/time";
import { viewerZone } from "../../format/time";
import { Badge } from "../../ui/Badge";
import { CopyButton } from "../../ui/CopyButton";
import { Fact, Facts } from "../../ui/Facts";
import { Named } from "../../ui/Named";
import { Drawer } from "../../ui/Overlay";
import { Said } from "../../ui/Said";
import { Async } from "../../ui/State";
import { Time } from "../../ui/Value";
import type { ScopeNames } from "../budgets/names";
import { Differences } from "./Differences";
import { progressOf, stateOf } from "./words";

interface RerateDrawerProps {
  id: string;
  names: ScopeNames;
  onClose: () => void;
}

/** RerateDrawer shows how far a re-rate is and what it came to. */
export function RerateDrawer({ id, names, onClose }: RerateDrawerProps) {
  const result = useRerate(id);
  return (
    <Drawer title="Usage priced anew" open wide onClose={onClose}>
      <Async result={result} what="re-rate" isEmpty={(d) => !d.rerate} empty={null}>
        {({ rerate }) => rerate && <Details rerate={rerate} names={names} />}
      </Async>
    </Drawer>
  );
}

function Details({ rerate, names }: { rerate: Rerate; names: ScopeNames }) {
  const { label, tone } = stateOf(rerate);
  const percent = progressOf(rerate);
  return (
    <>
      <div className="drawer-id">
        <div>
          <b>
            <Said text={rerate.reason} />
          </b>
          <div>
            <code>{rerate.id}</code>
          </div>
        </div>
        <CopyButton text={rerate.id} what="id of the re-rate" label="Copy id" />
      </div>
      <div className="rerate-state">
        <span role="status">
          <Badge tone={tone}>{label}</Badge>
        </span>
        {rerate.state === RerateState.RUNNING && (
          <>
            <progress className="rerate-progress" max={100} value={percent} aria-label="Looked at" /> {percent} %
          </>
        )}
      </div>
      {rerate.failure && <p className="notice notice-bad">{rerate.failure} What it corrected until then stays corrected.</p>}
      <Facts title={`What was asked for, times in ${viewerZone()}`}>
        <Fact name="Requests that began">
          <Time at={dateOf(rerate.from)} precision="minute" /> to <Time at={dateOf(rerate.until)} precision="minute" />
        </Fact>
        <Fact name="Project">{rerate.projectId ? <Named id={rerate.projectId} names={names.projects} /> : "every one"}</Fact>
        <Fact name="Provider">{rerate.providerId ? <Named id={rerate.providerId} names={names.providers} /> : "every one"}</Fact>
        <Fact name="Model">{rerate.model || "every one"}</Fact>
        <Fact name="What had no price">{rerate.priceUnpriced ? "is priced, too" : "stays without"}</Fact>
        <Fact name="Price book">{rerate.priceBookVersion}</Fact>
        <Fact name="Begun">
          <Time at={dateOf(rerate.createdAt)} />
        </Fact>
        <Fact name="Ended">
          <Time at={dateOf(rerate.finishedAt)} absent="not yet" />
        </Fact>
      </Facts>
      <Differences rerate={rerate} projects={names.projects} />
    </>
  );
}
