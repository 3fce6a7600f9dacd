import { useId } from "react";

import type { Problems } from "../../api/problems";
import { Problem, TextAreaField, TextField } from "../../ui/Form";
import { More } from "./More";
import type { HeaderDraft } from "./sent";
import { headerMistake, maxHeaders, modelsMistake } from "./sent";

interface HeaderFieldsProps {
  headers: readonly HeaderDraft[];
  problems: Problems;
  onChange: (headers: HeaderDraft[]) => void;
}

/** HeaderFields are what goes along with every request to a provider. */
export function HeaderFields({ headers, problems, onChange }: HeaderFieldsProps) {
  const refused = (name: string) => problems(`headers[${JSON.stringify(name)}]`);
  const change = (at: number, part: Partial<HeaderDraft>) => onChange(headers.map((header, i) => (i === at ? { ...header, ...part } : header)));
  return (
    <More title="Headers" said={headers.length > 0} wrong={Boolean(problems("headers")) || headers.some(({ name }) => refused(name))}>
      <p className="muted">
        Sent with every request: <code>OpenAI-Organization</code>, for example. They are no secrets, and take the place of those of callers.
      </p>
      {headers.map((header, i) => (
        <Header
          key={i}
          header={header}
          mistake={headerMistake(headers, i) ?? refused(header.name)}
          onChange={(part) => change(i, part)}
          onRemove={() => onChange(headers.filter((_, other) => other !== i))}
        />
      ))}
      {headers.length < maxHeaders && (
        <div>
          <button type="button" className="button button-small" onClick={() => onChange([...headers, { name: "", value: "" }])}>
            Add header
          </button>
        </div>
      )}
    </More>
  );
}

interface HeaderProps {
  header: HeaderDraft;
  mistake: string | undefined;
  onChange: (part: Partial<HeaderDraft>) => void;
  onRemove: () => void;
}

function Header({ header: { name, value }, mistake, onChange, onRemove }: HeaderProps) {
  const wrong = useId();
  return (
    <div role="group" aria-label={name ? `Header ${name}` : "New header"} aria-describedby={mistake ? wrong : undefined}>
      <div className="pair">
        <TextField label="Header" required maxLength={100} value={name} onChange={(name) => onChange({ name })} />
        <TextField label="Value" maxLength={1_000} value={value} onChange={(value) => onChange({ value })} />
        <button type="button" className="button" aria-label={`Remove header ${name}`.trim()} onClick={onRemove}>
          Remove
        </button>
      </div>
      <Problem id={wrong} problem={mistake} />
    </div>
  );
}

interface ModelsFieldProps {
  models: string;
  problems: Problems;
  onChange: (models: string) => void;
}

/** ModelsField bounds what routes may ask a provider for. */
export function ModelsField({ models, problems, onChange }: ModelsFieldProps) {
  const problem = problems("allowed_models");
  return (
    <More title="Allowed models" said={models !== ""} wrong={Boolean(problem)}>
      <TextAreaField
        label="Models that routes may send to"
        rows={4}
        hint="One on each line, as the provider calls them. Empty: all."
        problem={modelsMistake(models) ?? problem}
        value={models}
        onChange={onChange}
      />
    </More>
  );
}
