import type { EventFilter } from "../../api/history";
import { exportAddress, useAuditAnchor } from "../../api/history";
import { CopyButton } from "../../ui/CopyButton";
import { Modal } from "../../ui/Overlay";
import { Async } from "../../ui/State";

interface ExportDialogProps {
  filter: EventFilter;
  filtered: boolean;
  onClose: () => void;
}

/** ExportDialog takes the log along, with what proves later that nobody changed it. */
export function ExportDialog({ filter, filtered, onClose }: ExportDialogProps) {
  const anchor = useAuditAnchor();
  return (
    <Modal title="Export the history" open onClose={onClose}>
      <p>
        {filtered ? "The changes that the filters take" : "Every change"}, the oldest first, as one file with a line of JSON for each. A line has the event, as it is
        stored, and its SHA-256.
      </p>
      <div className="form-actions export-start">
        <a className="button button-primary" href={exportAddress(filter)} download="history.jsonl">
          Download
        </a>
      </div>
      <section className="facts">
        <h3>Proof that the log was not changed</h3>
        <Async result={anchor} what="audit anchor" isEmpty={(text) => text === ""} empty={<NoChain />}>
          {(text) => (
            <>
              <p>
                Each event is chained to the one before. This is the end of the chain at this moment; keep it where whoever runs the database can&apos;t reach it:
              </p>
              <div className="anchor">
                <code>{text}</code>
                <CopyButton text={text} what="anchor of the audit chain" />
              </div>
              <p>
                Whoever runs the control plane checks the log against it with <code>weir-controlplane audit verify --organization NAME --expect</code> and
                the anchor: it names the first version that differs, or says that the log is as it was.
              </p>
            </>
          )}
        </Async>
      </section>
    </Modal>
  );
}

function NoChain() {
  return <p className="muted">This installation keeps no audit chain: whoever runs it gives the control plane a house key for that.</p>;
}
