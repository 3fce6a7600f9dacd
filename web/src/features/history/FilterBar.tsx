import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useState } from "react";

import type { Names } from "../../api/names";
import { fromLocalInput, toLocalInput, viewerZone } from "../../format/time";
import type { HistorySearch } from "../../routes/search";
import { happeningGroups } from "./happenings";
import { isFiltered } from "./filter";

interface FilterBarProps {
  search: HistorySearch;
  members: Names;
  accounts: Names;
  onChange: (part: Partial<HistorySearch>) => void;
}

/** FilterBar chooses which events the timeline shows. */
export function FilterBar({ search, members, accounts, onChange }: FilterBarProps) {
  return (
    <div className="history-filter" role="search" aria-label="Filter of the history">
      <label>
        What happened
        <select value={search.kind ?? ""} onChange={(event) => onChange({ kind: event.target.value || undefined })}>
          <option value="">Anything</option>
          {happeningGroups.map(({ label, thing, happenings }) => (
            <optgroup key={thing} label={label}>
              <option value={`${thing}*`}>{label}: anything</option>
              {happenings.map((one) => (
                <option key={one.kind} value={one.kind}>
                  {one.label}
                </option>
              ))}
            </optgroup>
          ))}
        </select>
      </label>
      <label>
        Who
        <select value={search.actor ?? ""} onChange={(event) => onChange({ actor: event.target.value || undefined })}>
          <option value="">Anybody</option>
          <Choices label="People" kind="member" names={members} chosen={search.actor} />
          <Choices label="Service accounts" kind="service_account" names={accounts} chosen={search.actor} />
          <option value="operator">The installation&apos;s operator</option>
        </select>
      </label>
      <Moment label="From" value={search.from} onChange={(from) => onChange({ from })} />
      <Moment label="Until" value={search.until} onChange={(until) => onChange({ until })} />
      <ById search={search} onChange={onChange} />
      {isFiltered(search) && (
        <Link to="/history" className="button button-quiet" search={{}}>
          Clear filters
        </Link>
      )}
    </div>
  );
}

interface ChoicesProps {
  label: string;
  kind: string;
  names: Names;
  chosen: string | undefined;
}

// Who is chosen stands in the list even where no list has them.
function Choices({ label, kind, names, chosen = "" }: ChoicesProps): ReactNode {
  const listed = [...(names ?? [])].sort(([, a], [, b]) => a.localeCompare(b));
  const [of = "", id = ""] = chosen.split(":");
  if (of === kind && !names?.has(id)) listed.push([id, id]);
  if (listed.length === 0) return null;
  return (
    <optgroup label={label}>
      {listed.map(([one, name]) => (
        <option key={one} value={`${kind}:${one}`}>
          {name}
        </option>
      ))}
    </optgroup>
  );
}

interface MomentProps {
  label: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

function Moment({ label, value, onChange }: MomentProps) {
  return (
    <label className="history-moment">
      {label}
      <input
        type="datetime-local"
        value={value ? toLocalInput(new Date(value), viewerZone(), "minute") : ""}
        onChange={(event) => onChange(fromLocalInput(event.target.value)?.toISOString())}
      />
    </label>
  );
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

// A resource is known by its UUID; whatever else is pasted is the id of a request.
function ById({ search, onChange }: Pick<FilterBarProps, "search" | "onChange">) {
  const shown = search.resource ?? search.request ?? "";
  const [written, setWritten] = useState(shown);
  const [last, setLast] = useState(shown);
  if (shown !== last) {
    setLast(shown);
    setWritten(shown);
  }
  const submit = () => {
    const id = written.trim();
    if (id === shown) return;
    if (uuid.test(id)) onChange({ resource: id.toLowerCase(), request: undefined });
    else onChange({ resource: undefined, request: id || undefined });
  };
  return (
    <form action={submit} onBlur={submit}>
      <label>
        Id of a resource or request
        <input
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          maxLength={128}
          placeholder="paste it, then Enter"
          value={written}
          onChange={(event) => setWritten(event.target.value)}
        />
      </label>
    </form>
  );
}
