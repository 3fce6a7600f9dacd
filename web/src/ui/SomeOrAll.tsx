import { useId } from "react";

import type { Names } from "../api/names";
import { shortId } from "../format/id";
import { Problem } from "./Form";

interface SomeOrAllProps {
  legend: string;
  /** What all of them are called: "Every route, also later ones". */
  everyLabel: string;
  /** Said where there is nothing to choose from. */
  none: string;
  /** Undefined: not known yet, or the role may not list them. */
  names: Names;
  every: boolean;
  /** Ids, of those that are gone, too. */
  chosen: readonly string[];
  problem: string | undefined;
  onEvery: (every: boolean) => void;
  onChosen: (ids: string[]) => void;
}

/**
 * SomeOrAll has something for all of many things, or only for some. The two are asked for apart: what is for some must
 * not come to be for all by the last tick being taken away.
 */
export function SomeOrAll({ legend, everyLabel, none, names, every, chosen, problem, onEvery, onChosen }: SomeOrAllProps) {
  const wrong = useId();
  const group = useId();
  const said = problem ?? (!every && chosen.length === 0 ? "Choose one at least." : undefined);
  const known = [...new Set([...(names?.keys() ?? []), ...chosen])];
  const toggle = (id: string) => onChosen(chosen.includes(id) ? chosen.filter((c) => c !== id) : [...chosen, id]);
  return (
    <fieldset aria-describedby={said ? wrong : undefined}>
      <legend>{legend}</legend>
      <div className="choices">
        <label className="choice">
          <input type="radio" name={group} checked={every} onChange={() => onEvery(true)} />
          {everyLabel}
        </label>
        <label className="choice">
          <input type="radio" name={group} checked={!every} onChange={() => onEvery(false)} />
          Only some
        </label>
      </div>
      {!every && (
        <div className="part choices">
          {known.length === 0 && <p className="muted">{names ? none : "They can't be listed now."}</p>}
          {known.map((id) => (
            <label key={id} className="choice">
              <input type="checkbox" checked={chosen.includes(id)} onChange={() => toggle(id)} />
              {names?.get(id) ?? shortId(id)}
            </label>
          ))}
        </div>
      )}
      <Problem id={wrong} problem={said} />
    </fieldset>
  );
}
