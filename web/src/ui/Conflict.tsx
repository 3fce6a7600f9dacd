import { Code, ConnectError } from "@connectrpc/connect";

/** Told is what people chose of a resource, by its name, to be read and compared. */
export type Told = readonly (readonly [name: string, value: string])[];

/** isConflict tells that something was changed since it was read. */
export function isConflict(error: unknown): boolean {
  return Boolean(error) && ConnectError.from(error).code === Code.Aborted;
}

interface ConflictProps {
  /** What somebody else has made of it; undefined: it is being asked for. */
  theirs: Told | undefined;
  /** As it was when the form was opened. */
  before: Told;
  /** Takes up what they made of it, and leaves what was written here. */
  onTakeTheirs: () => void;
  onKeepMine: () => void;
}

/** Conflict shows what somebody else changed meanwhile, and asks whose is to stand. */
export function Conflict({ theirs, before, onTakeTheirs, onKeepMine }: ConflictProps) {
  const was = new Map(before);
  const changed = theirs?.filter(([name, value]) => was.get(name) !== value) ?? [];
  return (
    <div className="notice notice-warn conflict" role="alert">
      <p>
        <b>Somebody changed it meanwhile.</b> Nothing of yours is saved yet.
      </p>
      {theirs && changed.length > 0 && (
        <ul>
          {changed.map(([name, value]) => (
            <li key={name}>
              {name}: {was.get(name)} → <b>{value}</b>
            </li>
          ))}
        </ul>
      )}
      {theirs && changed.length === 0 && <p>What this form shows is the same as before.</p>}
      {theirs ? (
        <div className="form-actions">
          <button type="button" className="button button-small" onClick={onTakeTheirs}>
            Begin again with theirs
          </button>
          <button type="button" className="button button-small" onClick={onKeepMine}>
            Keep what I wrote
          </button>
        </div>
      ) : (
        <p role="status">Reading their version…</p>
      )}
    </div>
  );
}
