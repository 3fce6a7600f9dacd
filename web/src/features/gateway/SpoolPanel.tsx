import { useState } from "react";

import type { Gateway } from "../../api/gateway";
import { mayUpdateGateway, SpoolFull, useUpdateGateway } from "../../api/gateway";
import { newRequestId } from "../../api/transport";
import { Badge } from "../../ui/Badge";
import { FormActions, FormError } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import { Panel } from "../../ui/Page";
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
  gateway: Gateway;
  onClose: () => void;
}

function SpoolDialog({ gateway, onClose }: SpoolDialogProps) {
  const [whenSpoolFull, setWhen] = useState(gateway.whenSpoolFull);
  const [etag] = useState(gateway.etag);
  const [requestId, setRequestId] = useState(newRequestId);
  const update = useUpdateGateway();
  const change = (when: SpoolFull) => {
    setWhen(when);
    setRequestId(newRequestId()); // another request may not have the same id
  };
  const submit = () =>
    update.mutate(
      { gateway: { id: gateway.id, whenSpoolFull }, updateMask: { paths: ["when_spool_full"] }, mutation: { requestId, etag } },
      { onSuccess: onClose },
    );
  return (
    <Modal title={`When usage of ${gateway.name} can't be recorded`} open onClose={onClose}>
      <form action={submit} className="form">
        <label>
          Agents whose spool is full
          <select
            value={whenSpoolFull}
            onChange={(event) => change(event.target.value === String(SpoolFull.TOMBSTONE) ? SpoolFull.TOMBSTONE : SpoolFull.BLOCK)}
          >
            <option value={SpoolFull.BLOCK}>Refuse requests</option>
            <option value={SpoolFull.TOMBSTONE}>Serve requests and count them</option>
          </select>
        </label>
        {whenSpoolFull === SpoolFull.TOMBSTONE && (
          <p className="notice notice-warn">Who asked for what, and at which provider, is not known of requests that are only counted.</p>
        )}
        <FormError error={update.error} />
        <FormActions pending={update.isPending} action="Save" working="Saving…" onCancel={onClose} />
      </form>
    </Modal>
  );
}
