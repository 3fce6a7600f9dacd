import type { Names } from "../../api/names";
import { Strategy } from "../../api/route";
import { TextField } from "../../ui/Form";

export interface TargetDraft {
  providerId: string;
  model: string;
  /** 1 to 1000 of a weighted route, else 0. */
  weight: number;
}

interface TargetFieldsProps {
  strategy: Strategy;
  targets: readonly TargetDraft[];
  providers: Names;
  onChange: (targets: TargetDraft[]) => void;
}

const maxTargets = 16;

/** TargetFields are the targets of a route in their order: one of a single route, as many as there may be of others. */
export function TargetFields({ strategy, targets, providers, onChange }: TargetFieldsProps) {
  const single = strategy === Strategy.SINGLE;
  const shown = single ? targets.slice(0, 1) : targets;
  const change = (at: number, part: Partial<TargetDraft>) =>
    onChange(targets.map((target, i) => (i === at ? { ...target, ...part } : target)));
  const next = { providerId: "", model: "", weight: 1 };
  return (
    <>
      {shown.map((target, i) => (
        <TargetField
          key={i}
          number={single ? 0 : i + 1}
          target={target}
          providers={providers}
          weighted={strategy === Strategy.WEIGHTED}
          onChange={(part) => change(i, part)}
          onRemove={shown.length > 1 ? () => onChange(targets.filter((_, other) => other !== i)) : undefined}
        />
      ))}
      {!single && targets.length < maxTargets && (
        <button type="button" className="button" onClick={() => onChange([...targets, next])}>
          Add target
        </button>
      )}
    </>
  );
}

interface TargetFieldProps {
  /** From 1; 0: it is the only one. */
  number: number;
  target: TargetDraft;
  providers: Names;
  weighted: boolean;
  onChange: (part: Partial<TargetDraft>) => void;
  onRemove: (() => void) | undefined;
}

function TargetField({ number, target, providers, weighted, onChange, onRemove }: TargetFieldProps) {
  const title = number ? `Target ${number}` : "Target";
  return (
    <fieldset>
      <legend>{title}</legend>
      <ProviderField value={target.providerId} providers={providers} onChange={(providerId) => onChange({ providerId })} />
      <TextField
        label="Model"
        required
        maxLength={200}
        hint="What the provider calls it: Azure's deployment, Bedrock's model or inference profile."
        value={target.model}
        onChange={(model) => onChange({ model })}
      />
      {weighted && (
        <TextField
          label="Weight"
          required
          type="number"
          min={1}
          max={1000}
          value={target.weight || ""}
          onChange={(weight) => onChange({ weight: Number(weight) })}
        />
      )}
      {onRemove && (
        <button type="button" className="button button-small" onClick={onRemove} aria-label={`Remove ${title.toLowerCase()}`}>
          Remove
        </button>
      )}
    </fieldset>
  );
}

interface ProviderFieldProps {
  value: string;
  providers: Names;
  onChange: (id: string) => void;
}

function ProviderField({ value, providers, onChange }: ProviderFieldProps) {
  const known = [...(providers ?? [])];
  return (
    <label>
      Provider
      <select required value={value} onChange={(event) => onChange(event.target.value)}>
        {!value && <option value="">Choose one</option>}
        {value && !providers?.has(value) && <option value={value}>{value}</option>}
        {known.map(([id, name]) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
