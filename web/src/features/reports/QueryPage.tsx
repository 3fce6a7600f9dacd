import "./sql.css";

import { getRouteApi } from "@tanstack/react-router";
import type { KeyboardEvent, RefObject } from "react";
import { useRef, useState } from "react";

import { useRunQuery } from "../../api/report";
import { Page, Panel } from "../../ui/Page";
import { Async, Empty } from "../../ui/State";
import { Columns } from "./Columns";
import { examples, views } from "./examples";
import type { Position } from "./position";
import { offsetOf } from "./position";
import { ResultTable } from "./ResultTable";
import { StatementError } from "./StatementError";

const route = getRouteApi("/sql");

/** SqlPage runs one SELECT over the organization's public views. The URL holds the statement. */
export function SqlPage() {
  const { sql: ran = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const [draft, setDraft] = useState(ran || (examples[0]?.sql ?? ""));
  const editor = useRef<HTMLTextAreaElement>(null);
  const result = useRunQuery(ran);
  const goTo = (position: Position) => {
    const offset = offsetOf(draft, position);
    editor.current?.focus();
    editor.current?.setSelectionRange(offset, offset);
  };
  const run = (sql: string) => {
    setDraft(sql);
    if (sql === ran) void result.refetch();
    else void navigate({ search: { sql } });
  };
  return (
    <Page title="SQL" about={`One SELECT over the views ${views.join(", ")}.`}>
      <Panel>
        <Editor ref={editor} draft={draft} busy={result.isFetching} onChange={setDraft} onRun={run} />
      </Panel>
      {ran ? (
        <Async
          result={result}
          what="result"
          isEmpty={(d) => d.rows.length === 0}
          empty={<NoRows />}
          failure={(error) => <StatementError error={error} sql={ran} onRetry={result.refetch} onGoTo={goTo} />}
        >
          {(data) => <ResultTable result={data} sql={ran} />}
        </Async>
      ) : (
        <NothingRan />
      )}
      <Columns />
    </Page>
  );
}

interface EditorProps {
  ref: RefObject<HTMLTextAreaElement | null>;
  draft: string;
  busy: boolean;
  onChange: (sql: string) => void;
  onRun: (sql: string) => void;
}

function Editor({ ref, draft, busy, onChange, onRun }: EditorProps) {
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && draft.trim()) onRun(draft);
  };
  return (
    <form action={() => onRun(draft)} className="sql-editor">
      <label className="sr-only" htmlFor="sql">
        Statement
      </label>
      <textarea
        ref={ref}
        id="sql"
        required
        rows={6}
        spellCheck={false}
        autoCapitalize="off"
        value={draft}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="sql-bar">
        <button type="submit" className="button button-primary" disabled={busy}>
          {busy ? "Running…" : "Run"}
        </button>
        <span className="muted wide-only">Ctrl + Enter</span>
        <span className="sql-examples">
          <span className="muted">Try:</span>
          {examples.map(({ label, sql }) => (
            <button key={label} type="button" className="button button-small" onClick={() => onRun(sql)}>
              {label}
            </button>
          ))}
        </span>
      </div>
    </form>
  );
}

function NoRows() {
  return (
    <Empty title="No rows">
      <p>The statement ran and found nothing.</p>
    </Empty>
  );
}

function NothingRan() {
  return (
    <Empty title="Ask something">
      <p>Write a statement and run it, or try one of the examples. You see your organization's rows only.</p>
    </Empty>
  );
}
