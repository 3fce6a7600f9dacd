import { TextField } from "../../ui/Form";

/** LabelDraft is a label's rule as it is typed. */
export interface LabelDraft {
  name: string;
  maxBytes: string;
  pattern: string;
}

interface LabelFieldsProps {
  labels: readonly LabelDraft[];
  /** What the server refused, by the field's path: "labels[0].pattern". */
  problem: (field: string) => string | undefined;
  onChange: (labels: LabelDraft[]) => void;
}

const maxLabels = 50;

/** LabelFields are the labels of requests that usage may hold. */
export function LabelFields({ labels, problem, onChange }: LabelFieldsProps) {
  const change = (at: number, part: Partial<LabelDraft>) => onChange(labels.map((label, i) => (i === at ? { ...label, ...part } : label)));
  return (
    <fieldset>
      <legend>Labels that usage may hold</legend>
      <p className="muted">What applications send in X-Weir-Metadata under other names, or in another form, is left out. Empty patterns take letters, digits and . _ : / + @ -</p>
      {labels.map((label, i) => (
        <fieldset key={i} className="part">
          <legend>{label.name || "New label"}</legend>
          <TextField
            label="Label"
            required
            pattern="[A-Za-z0-9._\-]{1,64}"
            title="1 to 64 letters, digits and . _ -"
            value={label.name}
            problem={problem(`labels[${i}].name`)}
            onChange={(name) => change(i, { name })}
          />
          <TextField
            label="Longest value, bytes"
            type="number"
            required
            min={1}
            max={256}
            value={label.maxBytes}
            problem={problem(`labels[${i}].max_bytes`)}
            onChange={(maxBytes) => change(i, { maxBytes })}
          />
          <TextField
            label="Pattern (RE2)"
            maxLength={200}
            value={label.pattern}
            problem={problem(`labels[${i}].pattern`)}
            onChange={(pattern) => change(i, { pattern })}
          />
          <button type="button" className="button button-small" onClick={() => onChange(labels.filter((_, other) => other !== i))}>
            Remove {label.name || "label"}
          </button>
        </fieldset>
      ))}
      {labels.length < maxLabels && (
        <button type="button" className="button" onClick={() => onChange([...labels, { name: "", maxBytes: "64", pattern: "" }])}>
          Add label
        </button>
      )}
    </fieldset>
  );
}
