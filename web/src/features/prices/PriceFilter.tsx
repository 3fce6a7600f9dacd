import { useEffect, useRef, useState } from "react";

import type { Names } from "../../api/names";
import { fromLocalInput, toLocalInput, viewerZone } from "../../format/time";
import type { PricesSearch } from "../../routes/search";

interface PriceFilterProps {
  search: PricesSearch;
  /** undefined: the role may not list them. */
  providers: Names;
  onChange: (part: PricesSearch) => void;
}

const pauseMs = 250;

/** PriceFilter says which prices are listed, and for when. */
export function PriceFilter({ search, providers, onChange }: PriceFilterProps) {
  const { typed, type } = useTyped(search.q ?? "", (q) => onChange({ q: q || undefined }));
  const at = search.at ? toLocalInput(new Date(search.at), viewerZone(), "minute") : "";
  return (
    <div className="filters" role="search" aria-label="Filter prices">
      <input
        type="search"
        className="select-small price-search"
        aria-label="Model or price list"
        placeholder="Model or price list"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        value={typed}
        onChange={(event) => type(event.target.value)}
      />
      {providers && (
        <select className="select-small" aria-label="Provider" value={search.provider ?? ""} onChange={(event) => onChange({ provider: event.target.value || undefined })}>
          <option value="">Every price list</option>
          {[...providers].map(([id, name]) => (
            <option key={id} value={id}>
              What {name} costs
            </option>
          ))}
        </select>
      )}
      <label className="price-at">
        For requests of
        <input
          type="datetime-local"
          className="select-small"
          value={at}
          onChange={(event) => onChange({ at: fromLocalInput(event.target.value)?.toISOString(), book: undefined })}
        />
      </label>
      {search.at && (
        <button type="button" className="button button-small button-quiet" onClick={() => onChange({ at: undefined, book: undefined })}>
          Now
        </button>
      )}
    </div>
  );
}

/** useTyped is a text at once, and told when its writer pauses. */
function useTyped(said: string, tell: (text: string) => void) {
  const [typed, setTyped] = useState(said);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (text: string) => {
    setTyped(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => tell(text.trim()), pauseMs);
  };
  return { typed, type };
}
