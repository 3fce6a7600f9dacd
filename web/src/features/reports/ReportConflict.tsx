import type { SavedReport } from "../../api/savedReport";
import { FormError } from "../../ui/Form";
import type { SaveFailure } from "./useSaving";

interface ReportConflictProps {
  failure: SaveFailure;
  mine: string;
  /** As it was when it was opened. */
  before: string;
  onTakeTheirs: (theirs: SavedReport) => void;
  onKeepMine: (theirs: SavedReport) => void;
  onSaveAs: () => void;
  onClose: () => void;
}

/** ReportConflict shows both statements where somebody else saved another one meanwhile, and asks which is to stand. */
export function ReportConflict({ failure: { error, theirs }, mine, before, onTakeTheirs, onKeepMine, onSaveAs, onClose }: ReportConflictProps) {
  if (!theirs) {
    return (
      <div className="save-failure">
        <FormError error={error} />
        <button type="button" className="button button-small" onClick={onClose}>
          Close
        </button>
      </div>
    );
  }
  return (
    <section className="panel report-conflict" role="alert" aria-label="Changed by somebody else">
      <p>
        <b>Somebody saved this report meanwhile.</b> Yours is not saved yet.
        {theirs.sql === before && " They changed its name or description; the statement is the same."}
      </p>
      <div className="report-versions">
        <figure>
          <figcaption>Theirs</figcaption>
          <pre tabIndex={0} aria-label="Their statement">
            {theirs.sql}
          </pre>
        </figure>
        <figure>
          <figcaption>Yours</figcaption>
          <pre tabIndex={0} aria-label="Your statement">
            {mine}
          </pre>
        </figure>
      </div>
      <div className="form-actions">
        <button type="button" className="button" onClick={() => onTakeTheirs(theirs)}>
          Take theirs, lose mine
        </button>
        <button type="button" className="button" onClick={onSaveAs}>
          Save mine as another report
        </button>
        <button type="button" className="button" onClick={() => onKeepMine(theirs)}>
          Save mine over theirs
        </button>
      </div>
    </section>
  );
}
