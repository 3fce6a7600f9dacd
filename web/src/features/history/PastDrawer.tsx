import { Link } from "@tanstack/react-router";

import type { RevertTarget } from "../../api/history";
import type { PastKind, PastThing } from "../../api/past";
import { CopyButton } from "../../ui/CopyButton";
import { Fact, Facts } from "../../ui/Facts";
import { Drawer } from "../../ui/Overlay";
import { Scalar } from "./Fields";
import { leavesOf } from "./differences";
import { nameOf } from "./PastTable";
import type { LogNames } from "./words";
import { isConfiguration, kindName } from "./words";

interface PastDrawerProps {
  kind: PastKind;
  thing: PastThing;
  version: bigint;
  names: LogNames;
  /** Absent where the role may not. */
  onRevert: ((target: RevertTarget) => void) | undefined;
  onClose: () => void;
}

/** PastDrawer shows everything that the API says of a resource as it was. */
export function PastDrawer({ kind: { kind }, thing, version, names, onRevert, onClose }: PastDrawerProps) {
  const { id, name, json } = thing;
  const resource = { $typeName: "weir.admin.v1.ResourceRef" as const, kind, id, name };
  return (
    <Drawer title={`${kindName(kind)} as of version ${version}`} open onClose={onClose}>
      <div className="drawer-id">
        <div>
          <b>{nameOf(thing, names)}</b>
          <div>
            <code>{id}</code>
          </div>
        </div>
        <CopyButton text={id} what="id" label="Copy id" />
      </div>
      <div className="fact-tools">
        <Link to="/history" search={{ resource: id }}>
          History of this
        </Link>
        {onRevert && isConfiguration(kind) && (
          <button type="button" className="button button-small" onClick={() => onRevert({ version, resource })}>
            Put it back to this…
          </button>
        )}
      </div>
      <Facts title="As it was">
        {leavesOf(json)
          .filter(({ path }) => path !== "id" && path !== "etag")
          .map(({ path, value }) => (
            <Fact key={path} name={path}>
              <Scalar path={path} value={value} names={names} />
            </Fact>
          ))}
      </Facts>
    </Drawer>
  );
}
