import { Link } from "@tanstack/react-router";
import { useState } from "react";

import type { Key } from "../../api/key";
import { mayEndKeyOverlap, mayRevokeKey, mayRotateKey, mayUpdateKey, useKey } from "../../api/key";
import type { Names } from "../../api/names";
import { mayGetProject } from "../../api/project";
import { dateOf } from "../../api/time";
import { viewerZone } from "../../format/time";
import { Badge } from "../../ui/Badge";
import { CopyButton } from "../../ui/CopyButton";
import { Fact, Facts } from "../../ui/Facts";
import { Drawer } from "../../ui/Overlay";
import { Async } from "../../ui/State";
import { useNow } from "../../ui/useNow";
import { Time } from "../../ui/Value";
import { QuotasOn } from "../budgets/QuotasOn";
import { HistoryLink } from "../history/HistoryLink";
import { useMay } from "../session/permission";
import { UsageFacts } from "../usage/UsageFacts";
import { ChangeKeyDialog } from "./ChangeKeyDialog";
import { labelWords } from "./draft";
import type { KeyNames } from "./KeyTable";
import { EndOverlapDialog } from "./EndOverlapDialog";
import { OldSecret, oldSecretEnds } from "./OldSecret";
import { Revocation } from "./Revocation";
import { RevokeKeyDialog } from "./RevokeKeyDialog";
import { RotateKeyDialog } from "./RotateKeyDialog";
import { priorityName } from "./priority";
import { keyStatus } from "./status";

interface KeyDrawerProps {
  id: string;
  names: KeyNames;
  routes: Names;
  onClose: () => void;
}

/** KeyDrawer shows one key, what it cost and what holds it, and changes it; where it was revoked, which agents refuse it. */
export function KeyDrawer({ id, names, routes, onClose }: KeyDrawerProps) {
  const result = useKey(id);
  return (
    <Drawer title="Key" open onClose={onClose}>
      <Async result={result} what="key" isEmpty={(d) => !d.key} empty={null}>
        {({ key }) => key && <Details subject={key} names={names} routes={routes} />}
      </Async>
    </Drawer>
  );
}

interface DetailsProps {
  subject: Key;
  names: KeyNames;
  routes: Names;
}

function Details({ subject, names, routes }: DetailsProps) {
  const may = useMay();
  const now = useNow(1_000);
  const status = keyStatus(subject, now);
  const project = names.project(subject);
  const [ending, setEnding] = useState(false);
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
      {!subject.revokedAt && <Tools subject={subject} names={names} routes={routes} />}
      {subject.revokedAt && <Revocation keyId={subject.id} />}
      <Facts title={`Key, times in ${viewerZone()}`}>
        <Fact name="State">
          <Badge tone={status.tone}>{status.label}</Badge>
        </Fact>
        <Fact name="Ends in">
          <code>…{subject.suffix}</code>
        </Fact>
        {subject.previousExpiresAt && (
          <Fact name="Old secret">
            <OldSecret subject={subject} now={now} />
            {oldSecretEnds(subject, now) && may(mayEndKeyOverlap, subject.projectId) && (
              <div>
                <button type="button" className="button button-small button-danger" onClick={() => setEnding(true)}>
                  End it now
                </button>
              </div>
            )}
          </Fact>
        )}
        <Fact name="Project">
          {may(mayGetProject, subject.projectId) ? (
            <Link to="/projects" search={{ project: subject.projectId }}>
              {project}
            </Link>
          ) : (
            project
          )}
        </Fact>
        <Fact name="Routes">{names.routes(subject)}</Fact>
        <Fact name="Created">
          <Time at={dateOf(subject.createdAt)} />
        </Fact>
        <Fact name="Expires">
          <Time at={dateOf(subject.expiresAt)} absent="never" />
        </Fact>
        <Fact name="Weight">{subject.weight || 1}</Fact>
        <Fact name="Priority">{priorityName(subject.priority)}</Fact>
        <Fact name="Labels">{labelWords(subject.labels) || <span className="muted">none</span>}</Fact>
      </Facts>
      {subject.previousEndedAt && !subject.revokedAt && <Revocation keyId={subject.id} previousSecret />}
      {ending && <EndOverlapDialog subject={subject} onClose={() => setEnding(false)} />}
      <UsageFacts filter={`key_id = "${subject.id}"`} search={{ key: subject.id }} />
      {!subject.revokedAt && <QuotasOn projectId={subject.projectId} keyId={subject.id} />}
    </>
  );
}

type Open = "change" | "rotate" | "revoke" | undefined;

function Tools({ subject, names, routes }: DetailsProps) {
  const may = useMay();
  const [open, setOpen] = useState<Open>();
  const close = () => setOpen(undefined);
  const { projectId } = subject;
  const living = keyStatus(subject, new Date()).label === "Active";
  if (![mayUpdateKey, mayRotateKey, mayRevokeKey].some((one) => may(one, projectId))) return null;
  return (
    <>
      <div className="key-tools">
        {may(mayUpdateKey, projectId) && (
          <button type="button" className="button button-small" onClick={() => setOpen("change")}>
            Change
          </button>
        )}
        {may(mayRotateKey, projectId) && (
          <button type="button" className="button button-small" disabled={!living} title={living ? undefined : "It expired: give it a later expiry first"} onClick={() => setOpen("rotate")}>
            Rotate
          </button>
        )}
        {may(mayRevokeKey, projectId) && (
          <button type="button" className="button button-small button-danger" onClick={() => setOpen("revoke")}>
            Revoke
          </button>
        )}
      </div>
      {open === "change" && <ChangeKeyDialog subject={subject} names={names} routes={routes} onClose={close} />}
      {open === "rotate" && <RotateKeyDialog subject={subject} routes={routes} onClose={close} />}
      {open === "revoke" && <RevokeKeyDialog subject={subject} onClose={close} onRevoked={close} />}
    </>
  );
}
