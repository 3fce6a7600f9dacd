import { closeCompletion } from "@codemirror/autocomplete";
import type { Diagnostic } from "@codemirror/lint";
import { setDiagnostics } from "@codemirror/lint";
import { EditorView } from "@codemirror/view";
import { useEffect, useEffectEvent, useImperativeHandle, useRef } from "react";
import type { Ref } from "react";

import type { Vocabulary } from "../complete";
import type { Span } from "../position";
import { begin } from "./state";

/** EditorHandle is what others do to the text. */
export interface EditorHandle {
  /** Writes where the cursor is, or over what is chosen. */
  insert: (text: string) => void;
  goTo: (offset: number) => void;
}

/** Complaint is what is wrong with a part of the text. */
export interface Complaint extends Span {
  message: string;
}

interface StatementEditorProps {
  ref: Ref<EditorHandle>;
  text: string;
  vocabulary: Vocabulary;
  complaint: Complaint | undefined;
  onChange: (text: string) => void;
  onRun: () => void;
  onFormat: () => void;
}

const wayOut = "Tab indents. Escape, then Tab leaves the editor. Control and Space suggest, Control and Enter run.";

/**
 * StatementEditor edits SQL. It lives in a shadow: there its style sheet is an adopted one,
 * which the Content-Security-Policy allows, and a style element in the page is not.
 */
export function StatementEditor({ ref, text, vocabulary, complaint, onChange, onRun, onFormat }: StatementEditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const change = useEffectEvent(onChange);
  const run = useEffectEvent(onRun);
  const format = useEffectEvent(onFormat);
  const words = useEffectEvent(() => vocabulary);
  const first = useEffectEvent(() => text);

  useEffect(() => {
    if (!host.current) return;
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: "open" });
    const about = document.createElement("p");
    about.id = "way-out";
    about.hidden = true;
    about.textContent = wayOut;
    const frame = document.createElement("div");
    root.replaceChildren(frame, about);
    const state = begin(first(), {
      vocabulary: () => words(),
      onChange: (now) => change(now),
      onRun: () => {
        if (view.current) closeCompletion(view.current);
        run();
      },
      onFormat: () => format(),
      describedBy: about.id,
    });
    const made = new EditorView({ state, root, parent: frame });
    view.current = made;
    return () => {
      made.destroy();
      view.current = null;
    };
  }, []);

  useEffect(() => {
    const now = view.current?.state.doc;
    if (now && now.toString() !== text) view.current?.dispatch({ changes: { from: 0, to: now.length, insert: text } });
  }, [text]);

  useEffect(() => {
    const shown = view.current;
    if (shown) shown.dispatch(setDiagnostics(shown.state, complaint ? [diagnosticOf(complaint, shown.state.doc.length)] : []));
  }, [complaint]);

  useImperativeHandle(
    ref,
    () => ({
      insert: (inserted) => {
        const shown = view.current;
        if (!shown) return;
        shown.dispatch(shown.state.replaceSelection(inserted), { scrollIntoView: true, userEvent: "input" });
        shown.focus();
      },
      goTo: (offset) => {
        const anchor = Math.min(offset, view.current?.state.doc.length ?? 0);
        view.current?.dispatch({ selection: { anchor }, scrollIntoView: true });
        view.current?.focus();
      },
    }),
    [],
  );

  return <div ref={host} className="statement-editor" />;
}

function diagnosticOf({ from, to, message }: Complaint, length: number): Diagnostic {
  const start = Math.min(from, length);
  return { from: start, to: Math.min(Math.max(to, start), length), severity: "error", message };
}
