import { useState } from "react";

import type { SchemaColumn, View } from "./schema";
import { views } from "./schema";

interface SchemaProps {
  /** Writes a name into the statement. */
  onInsert: (name: string) => void;
}

/** Schema is what a statement can read: each view with its columns, what they are, and a way to write them down. */
export function Schema({ onInsert }: SchemaProps) {
  const [sought, setSought] = useState("");
  const word = sought.trim().toLowerCase();
  const found = views.map((view) => ({ view, columns: word ? matching(view, word) : view.columns })).filter(({ columns }) => columns.length > 0);
  return (
    <section className="panel schema" aria-label="Views and columns">
      <div className="panel-head">
        <h2>Views and columns</h2>
        <input
          type="search"
          className="select-small"
          aria-label="Search columns"
          placeholder="Search"
          autoComplete="off"
          spellCheck={false}
          value={sought}
          onChange={(event) => setSought(event.target.value)}
        />
      </div>
      <div className="schema-views">
        {found.map(({ view, columns }) => (
          <ViewPart key={`${view.name}-${word !== ""}`} view={view} columns={columns} open={word !== ""} onInsert={onInsert} />
        ))}
        {found.length === 0 && (
          <p className="muted" role="status">
            No column has “{sought.trim()}” in its name or in what it means.
          </p>
        )}
      </div>
    </section>
  );
}

function matching(view: View, word: string): SchemaColumn[] {
  return view.columns.filter(({ name, about }) => name.includes(word) || about.toLowerCase().includes(word));
}

interface ViewPartProps {
  view: View;
  columns: readonly SchemaColumn[];
  /** Whether it begins unfolded. */
  open: boolean;
  onInsert: (name: string) => void;
}

function ViewPart({ view, columns, open: begins, onInsert }: ViewPartProps) {
  const [open, setOpen] = useState(begins);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <code>{view.name}</code> <span className="muted">{columns.length}</span>
      </summary>
      {open && (
        <>
          <p className="muted schema-about">
            {view.about}{" "}
            <button type="button" className="link" aria-label={`Insert ${view.name}`} onClick={() => onInsert(view.name)}>
              Insert name
            </button>
          </p>
          <ul aria-label={`Columns of ${view.name}`}>
            {columns.map((column) => (
              <li key={column.name}>
                <button type="button" className="schema-column" aria-label={`Insert ${column.name}`} onClick={() => onInsert(column.name)}>
                  <code>{column.name}</code>
                  <span className="muted">{shortType(column.type)}</span>
                </button>
                <p className="muted">{column.about}</p>
              </li>
            ))}
          </ul>
        </>
      )}
    </details>
  );
}

// How ClickHouse keeps a text is nobody's concern here.
function shortType(type: string): string {
  return type.replace(/LowCardinality\(([^()]*)\)/g, "$1");
}
