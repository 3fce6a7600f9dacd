import { useState } from "react";

import type { Gateway } from "../../api/gateway";
import { mayUpdateGateway, SpoolFull, useUpdateGateway } from "../../api/gateway";
import { useRequestId } from "../../api/transport";
import { Badge } from "../../ui/Badge";
import type { Decision, Told } from "../../ui/Conflict";
import { Conflict, isConflict } from "../../ui/Conflict";
import { FormActions, FormError } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import { Panel } from "../../ui/Page";
import { useDraft } from "../../ui/useDraft";
import { useMay } from "../session/permission";

const refusing = "Where it has no room left, requests are refused with status 503: none is without a record.";
const serving = "Where it has no room left, requests are served all the same, and one record says how many they were and what they cost.";

/** SpoolPanel shows what agents do when usage that can't be delivered fills their disk's share. */
export function SpoolPanel({ gateway }: { gateway: Gateway }) {
  const may = useMay();
  const [open, setOpen] = useState(false);
  const serves = gateway.whenSpoolFull === SpoolFull.TOMBSTONE;
  return (
    <Panel title="When usage can't be recorded" aside={<Badge tone="plain">{serves ? "Serve" : "Refuse"}</Badge>}>
      <div className="rollout">
        <p className="muted">
          Agents keep usage on their disk until it is delivered. {serves ? serving : refusing}
        </p>
        {may(mayUpdateGateway) && (
          <div className="rollout-tools">
            <button type="button" className="button" onClick={() => setOpen(true)}>
              Change
            </button>
          </div>
        )}
      </div>
      {open && <SpoolDialog gateway={gateway} onClose={() => setOpen(false)} />}
    </Panel>
  );
}

interface SpoolDialogProps {
  /** As it is now: somebody may change it while this is open. */
  gateway: Gateway;
  onClose: () => void;
}

type Draft = Pick<Gateway, "whenSpoolFull">;

function SpoolDialog({ gateway, onClose }: SpoolDialogProps) {
  const { base = gateway, draft, change, rebase } = useDraft(gateway, draftOf, draftOf(gateway));
  const { whenSpoolFull } = draft;
  const requestId = useRequestId();
  const { mutate, isPending, error, reset } = useUpdateGateway();
  const conflict = isConflict(error);
  const theirs = gateway.etag === base.etag ? undefined : gateway;
  const submit = () => {
    const { id, etag } = base;
    const mutation = { requestId: requestId([draft, etag]), etag };
    mutate({ gateway: { id, whenSpoolFull }, updateMask: { paths: ["when_spool_full"] }, mutation }, { onSuccess: onClose });
  };
  const decide = (decision: Decision<Draft>) => {
    if (theirs) rebase(theirs, decision);
    reset();
  };
  return (
    <Modal title={`When usage of ${gateway.name} can't be recorded`} open onClose={onClose}>
      <form action={submit} className="form">
        <label>
          Agents whose spool is full
          <select
            value={whenSpoolFull}
            onChange={(event) => change({ whenSpoolFull: event.target.value === String(SpoolFull.TOMBSTONE) ? SpoolFull.TOMBSTONE : SpoolFull.BLOCK })}
          >
            <option value={SpoolFull.BLOCK}>Refuse requests</option>
            <option value={SpoolFull.TOMBSTONE}>Serve requests and count them</option>
          </select>
        </label>
        {whenSpoolFull === SpoolFull.TOMBSTONE && (
          <p className="notice notice-warn">Who asked for what, and at which provider, is not known of requests that are only counted.</p>
        )}
        {conflict ? (
          <Conflict before={told(base)} mine={told(draft)} theirs={theirs && told(theirs)} onDecide={decide} />
        ) : (
          <FormError error={error} />
        )}
        <FormActions pending={isPending} blocked={conflict} action="Save" working="Saving…" onCancel={onClose} />
      </form>
    </Modal>
  );
}

function draftOf({ whenSpoolFull }: Gateway): Draft {
  return { whenSpoolFull: whenSpoolFull === SpoolFull.TOMBSTONE ? whenSpoolFull : SpoolFull.BLOCK };
}

function told(gateway: Draft): Told<Draft> {
  return [["Agents whose spool is full", gateway.whenSpoolFull === SpoolFull.TOMBSTONE ? "serve requests and count them" : "refuse requests", "whenSpoolFull"]];
}
