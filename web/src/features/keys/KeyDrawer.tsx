import type { Key } from "../../api/key";
import { useKey } from "../../api/key";
import { dateOf } from "../../api/time";
import { viewerZone } from "../../format/time";
import { Badge } from "../../ui/Badge";
import { CopyButton } from "../../ui/CopyButton";
import { Fact, Facts } from "../../ui/Facts";
import { Drawer } from "../../ui/Overlay";
import { Async } from "../../ui/State";
import { useNow } from "../../ui/useNow";
import { Time } from "../../ui/Value";
import { HistoryLink } from "../history/HistoryLink";
import type { KeyNames } from "./KeyTable";
import { Revocation } from "./Revocation";
import { priorityName } from "./priority";
import { keyStatus } from "./status";

interface KeyDrawerProps {
  id: string;
  names: KeyNames;
  onClose: () => void;
}

/** KeyDrawer shows one key and, where it was revoked, which agents refuse it. */
export function KeyDrawer({ id, names, onClose }: KeyDrawerProps) {
  const result = useKey(id);
  return (
    <Drawer title="Key" open onClose={onClose}>
      <Async result={result} what="key" isEmpty={(d) => !d.key} empty={null}>
        {({ key }) => key && <Details subject={key} names={names} />}
      </Async>
    </Drawer>
  );
}

function Details({ subject, names }: { subject: Key; names: KeyNames }) {
  const status = keyStatus(subject, useNow(60_000));
  const previous = dateOf(subject.previousExpiresAt);
  const labels = Object.entries(subject.labels);
  return (
    <>
      <div className="drawer-id">
        <div>
          <b>{subject.name}</b>
          <div>
            <code>{subject.id}</code>
          </div>
        </div>
        <CopyButton text={subject.id} what="id of the key" label="Copy id" />
      </div>
      <HistoryLink id={subject.id} />
      {subject.revokedAt && <Revocation keyId={subject.id} />}
      <Facts title={`Key, times in ${viewerZone()}`}>
        <Fact name="State">
          <Badge tone={status.tone}>{status.label}</Badge>
        </Fact>
        <Fact name="Ends in">
          <code>…{subject.suffix}</code>
        </Fact>
        <Fact name="Project">{names.project(subject)}</Fact>
        <Fact name="Routes">{names.routes(subject)}</Fact>
        <Fact name="Created">
          <Time at={dateOf(subject.createdAt)} />
        </Fact>
        <Fact name="Expires">
          <Time at={dateOf(subject.expiresAt)} absent="never" />
        </Fact>
        {previous && (
          <Fact name="Secret before the last rotation">
            <code>…{subject.previousSuffix}</code> until <Time at={previous} />
          </Fact>
        )}
        <Fact name="Weight">{subject.weight || 1}</Fact>
        <Fact name="Priority">{priorityName(subject.priority)}</Fact>
        {labels.length > 0 && <Fact name="Labels">{labels.map(([name, value]) => `${name}=${value}`).join(", ")}</Fact>}
      </Facts>
    </>
  );
}
