import type { Names } from "../api/names";
import { shortId } from "../format/id";
import { CopyButton } from "./CopyButton";

interface NamedProps {
  id: string;
  names: Names;
}

/** Named shows what an id stands for, or the id's end where it is not listed; the id is in the hover text. */
export function Named({ id, names }: NamedProps) {
  if (!id) return <span className="muted">–</span>;
  const name = names?.get(id);
  return name ? <span title={id}>{name}</span> : <code title={id}>{shortId(id)}</code>;
}

/** NamedToCopy is Named with a way to take the id along. */
export function NamedToCopy({ id, names, what }: NamedProps & { what: string }) {
  return (
    <span className="named">
      <Named id={id} names={names} />
      {id && <CopyButton text={id} what={`id of the ${what}`} label="Copy id" />}
    </span>
  );
}
