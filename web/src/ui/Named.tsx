import type { ReactNode } from "react";

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

interface NamedToCopyProps extends NamedProps {
  what: string;
  /** Makes a link of a name; an id that is not listed leads nowhere. */
  link?: ((named: ReactNode) => ReactNode) | undefined;
}

/** NamedToCopy is Named with a way to take the id along. */
export function NamedToCopy({ id, names, what, link }: NamedToCopyProps) {
  const named = <Named id={id} names={names} />;
  return (
    <span className="named">
      {link && names?.has(id) ? link(named) : named}
      {id && <CopyButton text={id} what={`id of the ${what}`} label="Copy id" />}
    </span>
  );
}
