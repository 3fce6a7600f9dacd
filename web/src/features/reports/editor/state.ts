import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab, toggleComment } from "@codemirror/commands";
import { SQLDialect } from "@codemirror/lang-sql";
import { bracketMatching, syntaxHighlighting } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import type { Extension } from "@codemirror/state";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, keymap, lineNumbers, placeholder } from "@codemirror/view";

import type { Suggestion, Vocabulary } from "../complete";
import { keywords, suggest } from "../complete";
import { look, words } from "./theme";

// Key words that columns have for names: they stay plain.
const names = new Set("second minute hour day week month quarter year first last any row rows range step to fill totals current".split(" "));

/** What ClickHouse reads, as far as colours and brackets need it. */
const clickHouse = SQLDialect.define({
  keywords: keywords
    .map((word) => word.toLowerCase())
    .filter((word) => !names.has(word))
    .join(" "),
  types: "string date date32 datetime datetime64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 decimal bool uuid array map tuple nullable lowcardinality",
  builtin: "",
  backslashEscapes: true,
  doubleQuotedStrings: false,
  identifierQuotes: '"`',
  operatorChars: "*+-%<>!=&|~^/?:",
});

export interface Wiring {
  vocabulary: () => Vocabulary;
  onChange: (text: string) => void;
  onRun: () => void;
  onFormat: () => void;
  /** Says how the keyboard leaves the editor. */
  describedBy: string;
}

/** begin is the editor's first state. */
export function begin(text: string, { vocabulary, onChange, onRun, onFormat, describedBy }: Wiring): EditorState {
  const say = (run: () => void) => () => {
    run();
    return true;
  };
  const extensions: Extension[] = [
    keymap.of([
      { key: "Mod-Enter", run: say(onRun), preventDefault: true },
      { key: "Shift-Alt-f", run: say(onFormat), preventDefault: true },
      { key: "Mod-/", run: toggleComment },
    ]),
    lineNumbers(),
    history(),
    drawSelection(),
    EditorState.tabSize.of(2),
    EditorView.lineWrapping,
    bracketMatching(),
    closeBrackets(),
    clickHouse.extension,
    clickHouse.language.data.of({ closeBrackets: { brackets: ["(", "[", "{", "'", "`"] } }),
    syntaxHighlighting(words),
    autocompletion({ override: [(context) => complete(context, vocabulary())], icons: false, maxRenderedOptions: 60 }),
    placeholder("SELECT … FROM requests"),
    look,
    keymap.of([...closeBracketsKeymap, ...completionKeymap, ...lintKeymap, ...historyKeymap, indentWithTab, ...defaultKeymap]),
    EditorView.contentAttributes.of({ "aria-label": "Statement", "aria-describedby": describedBy, autocapitalize: "off", spellcheck: "false" }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) onChange(update.state.doc.toString());
    }),
  ];
  return EditorState.create({ doc: text, extensions });
}

const ranks: Partial<Record<Suggestion["kind"], number>> = { column: 3, name: 3, label: 3, type: 3, parameter: 2, view: 1, keyword: -1 };

function complete(context: CompletionContext, vocabulary: Vocabulary): CompletionResult | null {
  const found = suggest(context.state.doc.toString(), context.pos, context.explicit, vocabulary);
  return found && { from: found.from, options: found.options.map(option), validFor: /^[\w:({})]*$/ };
}

function option({ label, kind, detail, about, text, back = 0 }: Suggestion): Completion {
  return {
    label,
    ...(detail !== undefined && { detail }),
    ...(about !== undefined && { info: about }),
    boost: ranks[kind] ?? 0,
    ...(text !== undefined && {
      apply: (view: EditorView, _: Completion, from: number, to: number) =>
        view.dispatch({ changes: { from, to, insert: text }, selection: { anchor: from + text.length - back }, userEvent: "input.complete" }),
    }),
  };
}
