import { useState } from "react";

import { isStale } from "../../api/error";
import type { RevertResponse, RevertTarget } from "../../api/history";
import { useRevert, useReverted } from "../../api/history";
import { useRequestId } from "../../api/transport";
import { FormError } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import { Failure, Loading } from "../../ui/State";
import { Changes } from "./Changes";
import { Fields } from "./Fields";
import type { LogNames } from "./words";
import { kindName, resourceName } from "./words";

interface RevertDialogProps {
  target: RevertTarget;
  names: LogNames;
  onClose: () => void;
}

/** RevertDialog shows what going back would change and what it can't, then does just that. */
export function RevertDialog({ target, names, onClose }: RevertDialogProps) {
  const { resource, version } = target;
  const preview = useReverted(target);
  const revert = useRevert();
  const requestId = useRequestId();
  const [overtaken, setOvertaken] = useState(false);
  const submit = ({ etag }: RevertResponse) => revert.submit(target, etag, requestId([String(version), resource?.id, etag]), onClose);
  // Somebody was faster: what would change is looked at anew.
  if (isStale(revert.error) && !overtaken) {
    setOvertaken(true);
    revert.reset();
    void preview.refetch();
  }
  const thing = resource ? `${kindName(resource.kind).toLowerCase()} ${resourceName(resource, names)}` : "all configuration";
  return (
    <Modal title={`Put ${thing} back to version ${version}?`} open held={revert.isPending} onClose={onClose}>
      {overtaken && (
        <p className="notice notice-warn" role="alert">
          <span>
            <b>Something was changed meanwhile.</b> Nothing went back; below is what going back would change now.
          </span>
        </p>
      )}
      {preview.isFetching && <Loading what="what would change" shape="table" />}
      {!preview.isFetching && preview.error && <Refused error={preview.error} onRetry={preview.refetch} onClose={onClose} />}
      {!preview.isFetching && preview.data && (
        <form
          action={() => {
            setOvertaken(false);
            submit(preview.data);
          }}
          className="form"
        >
          <Preview preview={preview.data} names={names} alone={resource !== undefined} />
          <FormError error={revert.error} />
          <div className="form-actions">
            <button type="button" className="button" disabled={revert.isPending} onClick={onClose}>
              {preview.data.changes.length === 0 ? "Close" : "Cancel"}
            </button>
            {preview.data.changes.length > 0 && (
              <button type="submit" className="button button-danger-solid" disabled={revert.isPending}>
                {revert.isPending ? "Going back…" : `Go back to version ${version}`}
              </button>
            )}
          </div>
        </form>
      )}
    </Modal>
  );
}

function Refused({ error, onRetry, onClose }: { error: unknown; onRetry: () => unknown; onClose: () => void }) {
  return (
    <>
      <Failure error={error} onRetry={onRetry} />
      <div className="form-actions">
        <button type="button" className="button" onClick={onClose}>
          Close
        </button>
      </div>
    </>
  );
}

interface PreviewProps {
  preview: RevertResponse;
  names: LogNames;
  /** Whether one resource alone goes back. */
  alone: boolean;
}

function Preview({ preview: { changes, skipped, truncated }, names, alone }: PreviewProps) {
  return (
    <>
      <section className="facts" role="status">
        <h3>What going back changes</h3>
        {changes.length === 0 ? (
          <p>Nothing: {alone ? "it is" : "what can go back is"} as it was then.</p>
        ) : (
          <>
            <Changes changes={changes} names={names} label="What going back changes" />
            <p className="muted">Each of these is a new change in the history: you can go back from going back.{!alone && " Keys that were made since are revoked for good."}</p>
          </>
        )}
      </section>
      {skipped.length > 0 && (
        <details className="skipped">
          <summary>{skipped.length === 1 ? "1 thing can't go back" : `${skipped.length} things can't go back`}</summary>
          <ul className="changes" aria-label="What can't go back">
            {skipped.map(({ resource, message, fields }) => (
              <li key={`${resource?.kind} ${resource?.id}`}>
                {kindName(resource?.kind ?? "")} <b>{resourceName(resource, names)}</b>: {message}
                {fields.every(({ before, after }) => before && after) && <Fields fields={fields} names={names} />}
              </li>
            ))}
          </ul>
        </details>
      )}
      {truncated && <p className="muted">There is more than these lists show; comparing the two versions shows all.</p>}
    </>
  );
}
