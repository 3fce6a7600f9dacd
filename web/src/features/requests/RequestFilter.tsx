import { useState } from "react";

interface RequestFilterProps {
  filter: string;
  onChange: (filter: string) => void;
}

const examples: readonly { label: string; filter: string }[] = [
  { label: "Failed", filter: `outcome != "ok" AND outcome != "client_closed"` },
  { label: "Slow", filter: "duration_us > 10000000" },
  { label: "Retried", filter: "attempts > 1" },
  { label: "Over a quota", filter: "refused_by_quota_id:*" },
];

/** RequestFilter says which requests are listed, in the words of the API's filters. */
export function RequestFilter({ filter, onChange }: RequestFilterProps) {
  const [typed, setTyped] = useState(filter);
  return (
    <form
      className="request-filter"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        onChange(typed.trim());
      }}
    >
      <input
        className="select-small"
        aria-label="Filter of requests"
        placeholder={`route = "fast" AND labels.team = "search"`}
        value={typed}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        onChange={(event) => setTyped(event.target.value)}
      />
      <button type="submit" className="button button-small">
        Filter
      </button>
      {filter !== "" && (
        <button type="button" className="button button-small button-quiet" onClick={() => onChange("")}>
          Clear
        </button>
      )}
      <span className="request-filter-examples">
        {examples.map((one) => (
          <button key={one.label} type="button" className="button button-small button-quiet" title={one.filter} aria-pressed={filter === one.filter} onClick={() => onChange(one.filter)}>
            {one.label}
          </button>
        ))}
      </span>
    </form>
  );
}
