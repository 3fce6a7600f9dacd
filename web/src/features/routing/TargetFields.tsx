import type { Names } from "../../api/names";
import { Strategy } from "../../api/route";
import { TextField } from "../../ui/Form";
import type { TargetDraft } from "./draft";
import { noTarget } from "./draft";

/** Problems are what the server refused, by the field's path; undefined: nothing. */
export type Problems = (field: string) => string | undefined;

interface TargetFieldsProps {
  strategy: Strategy;
  targets: readonly TargetDraft[];
  providers: Names;
  problems: Problems;
  onChange: (targets: TargetDraft[]) => void;
}

const maxTargets = 16;

/** TargetFields are the targets of a route in their order: one of a single route, as many as there may be of others. */
export function TargetFields({ strategy, targets, providers, problems, onChange }: TargetFieldsProps) {
  const single = strategy === Strategy.SINGLE;
  const shown = single ? targets.slice(0, 1) : targets;
  const change = (at: number, part: Partial<TargetDraft>) =>
    onChange(targets.map((target, i) => (i === at ? { ...target, ...part } : target)));
  return (
    <>
      {shown.map((target, i) => (
        <TargetField
          key={i}
          title={single ? "Target" : `Target ${i + 1}`}
          path={`targets[${i}]`}
          target={target}
          providers={providers}
          problems={problems}
          weighted={strategy === Strategy.WEIGHTED}
          conditional
          onChange={(part) => change(i, part)}
          onRemove={shown.length > 1 ? () => onChange(targets.filter((_, other) => other !== i)) : undefined}
        />
      ))}
      {!single && targets.length < maxTargets && (
        <button type="button" className="button" onClick={() => onChange([...targets, noTarget])}>
          Add target
        </button>
      )}
    </>
  );
}

interface TargetFieldProps {
  title: string;
  path: string;
  target: TargetDraft;
  providers: Names;
  problems: Problems;
  weighted?: boolean;
  /** Whether it can have a condition. */
  conditional?: boolean;
  onChange: (part: Partial<TargetDraft>) => void;
  onRemove?: (() => void) | undefined;
}

/** TargetField is one model of a provider. */
export function TargetField({ title, path, target, providers, problems, weighted, conditional, onChange, onRemove }: TargetFieldProps) {
  return (
    <fieldset className="part">
      <legend>{title}</legend>
      <ProviderField value={target.providerId} providers={providers} onChange={(providerId) => onChange({ providerId })} />
      <TextField
        label="Model"
        required
        maxLength={200}
        hint="What the provider calls it: Azure's deployment, Bedrock's model or inference profile."
        problem={problems(`${path}.model`) ?? problems(path)}
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
          problem={problems(`${path}.weight`)}
          value={target.weight || ""}
          onChange={(weight) => onChange({ weight: Number(weight) })}
        />
      )}
      {conditional && (
        <TextField
          label="Only when (optional)"
          maxLength={1000}
          placeholder={'metadata.tier == "gold" && tokens > 8000'}
          hint="A CEL expression over the request: metadata, headers, tokens, stream, surface, user, run, key, project, now. Empty: always."
          problem={problems(`${path}.when`)}
          value={target.when}
          onChange={(when) => onChange({ when })}
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
