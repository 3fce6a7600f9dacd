import type { Ref } from "react";
import { useState } from "react";

import { useNow } from "../../ui/useNow";
import type { Vocabulary } from "./complete";
import type { Complaint, EditorHandle } from "./editor/StatementEditor";
import { StatementEditor } from "./editor/StatementEditor";
import { formatted } from "./format";
import { ParameterFields } from "./ParameterFields";
import type { Parameter } from "./statement";

interface EditorPanelProps {
  ref: Ref<EditorHandle>;
  text: string;
  vocabulary: Vocabulary;
  complaint: Complaint | undefined;
  parameters: readonly Parameter[];
  values: Readonly<Record<string, string>>;
  zone: string;
  running: boolean;
  /** Whether there is a statement, and each parameter has a value. */
  ready: boolean;
  onText: (text: string) => void;
  onValue: (name: string, value: string) => void;
  onRun: () => void;
  onCancel: () => void;
}

/** EditorPanel is a statement, its parameters, and what runs it. */
export function EditorPanel({ ref, text, vocabulary, complaint, parameters, values, zone, running, ready, onText, onValue, onRun, onCancel }: EditorPanelProps) {
  const format = () => onText(formatted(text));
  return (
    <section className="panel editor-panel" aria-label="Statement">
      <StatementEditor ref={ref} text={text} vocabulary={vocabulary} complaint={complaint} onChange={onText} onRun={onRun} onFormat={format} />
      {parameters.length > 0 && <ParameterFields parameters={parameters} values={values} zone={zone} onChange={onValue} onRun={onRun} />}
      <div className="editor-bar">
        <button type="button" className="button button-primary" disabled={!ready || running} onClick={onRun}>
          {running ? "Running…" : "Run"}
        </button>
        {running && (
          <>
            <button type="button" className="button" onClick={onCancel}>
              Cancel
            </button>
            <Elapsed />
          </>
        )}
        <button type="button" className="button" disabled={text.trim() === ""} onClick={format}>
          Format
        </button>
        <span className="muted wide-only editor-keys">Ctrl + Enter runs, Shift + Alt + F formats. Esc, then Tab leaves the editor.</span>
      </div>
    </section>
  );
}

function Elapsed() {
  const [began] = useState(() => Date.now());
  const seconds = Math.max(0, useNow(100).getTime() - began) / 1000;
  return <span className="muted">{`${seconds.toFixed(1)} s of at most 20 s`}</span>;
}
