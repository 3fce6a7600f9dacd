import { useState } from "react";

import type { Gateway } from "../../api/gateway";
import type { GoBackResponse } from "../../api/rollout";
import { useGoBack, useGoneBack } from "../../api/rollout";
import { newRequestId } from "../../api/transport";
import { FormError } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import { Loading } from "../../ui/State";
import { Changes } from "../history/Changes";

interface GoBackDialogProps {
  gateway: Gateway;
  /** The version to propose; 0: none is known. */
  proposed: bigint;
  onClose: () => void;
}

/** GoBackDialog shows first what agents would get, then takes them there. */
export function GoBackDialog({ gateway, proposed, onClose }: GoBackDialogProps) {
  const [version, setVersion] = useState(proposed > 0n ? String(proposed) : "");
  const [asked, setAsked] = useState(0n);
  const [reason, setReason] = useState("");
  const preview = useGoneBack(gateway.id, asked);
  const shown = preview.data !== undefined && !preview.isFetching;
  return (
    <Modal title={`Go back to a past configuration of ${gateway.name}`} open onClose={onClose}>
      <p>
        Every agent gets the configuration of that version, with the keys of today, and the gateway is pinned there: further changes reach no agent of it
        until somebody goes forward. A rollout that is under way is abandoned, and its agents lose the candidate. What was revoked stays revoked.
      </p>
      <form action={() => setAsked(BigInt(version))} className="form">
        <label>
          Version of the log
          <input
            required
            inputMode="numeric"
            pattern="[1-9][0-9]{0,17}"
            title="A whole number from 1 on"
            autoComplete="off"
            value={version}
            onChange={(event) => {
              setVersion(event.target.value);
              setAsked(0n);
            }}
          />
        </label>
        <label>
          Reason, for who looks at the gateway (optional)
          <input value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />
        </label>
        <FormError error={asked > 0n && preview.error} />
        {!shown && (
          <div className="form-actions">
            <button type="button" className="button" onClick={onClose}>
              Cancel
            </button>
            <button type="submit" className="button button-primary" disabled={preview.isFetching}>
              {preview.isFetching ? "Asking…" : "Show what would change"}
            </button>
          </div>
        )}
      </form>
      {preview.isFetching && <Loading what="changes" shape="table" />}
      {shown && <Decide gateway={gateway} version={asked} reason={reason} preview={preview.data} onClose={onClose} />}
    </Modal>
  );
}

interface DecideProps {
  gateway: Gateway;
  version: bigint;
  reason: string;
  preview: GoBackResponse;
  onClose: () => void;
}

function Decide({ gateway, version, reason, preview: { changes, truncated }, onClose }: DecideProps) {
  const [requestId] = useState(newRequestId);
  const goBack = useGoBack();
  const submit = () =>
    goBack.mutate({ gatewayId: gateway.id, version, reason, mutation: { requestId } }, { onSuccess: onClose });
  return (
    <form action={submit} className="form">
      <div role="status">
        <h3>What changes for agents with the stable configuration</h3>
        {changes.length === 0 ? <p>Nothing: they have this configuration already.</p> : <Changes changes={changes} label="What would change" />}
        {truncated && <p className="muted">There are more changes than these.</p>}
      </div>
      <FormError error={goBack.error} />
      <div className="form-actions">
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" className="button button-danger-solid" disabled={goBack.isPending}>
          {goBack.isPending ? "Going back…" : `Go back to version ${version}`}
        </button>
      </div>
    </form>
  );
}
