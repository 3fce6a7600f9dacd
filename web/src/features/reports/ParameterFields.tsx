import { useId } from "react";

import { kindOf, problemOf, wordsOf } from "./parameter";
import type { Parameter } from "./statement";

interface ParameterFieldsProps {
  parameters: readonly Parameter[];
  values: Readonly<Record<string, string>>;
  /** IANA name of the zone that times are read in. */
  zone: string;
  onChange: (name: string, value: string) => void;
  onRun: () => void;
}

/** ParameterFields take what a statement leaves open; Enter runs it. */
export function ParameterFields({ parameters, values, zone, onChange, onRun }: ParameterFieldsProps) {
  return (
    <form
      className="parameters"
      aria-label="Parameters"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        onRun();
      }}
    >
      {parameters.map((parameter) => (
        <ParameterField key={`${parameter.name}:${parameter.type}`} parameter={parameter} value={values[parameter.name]} zone={zone} onChange={(value) => onChange(parameter.name, value)} />
      ))}
      <button type="submit" className="sr-only" tabIndex={-1} aria-hidden="true">
        Run
      </button>
    </form>
  );
}

interface ParameterFieldProps {
  parameter: Parameter;
  value: string | undefined;
  zone: string;
  onChange: (value: string) => void;
}

function ParameterField({ parameter, value, zone, onChange }: ParameterFieldProps) {
  const below = useId();
  const kind = kindOf(parameter.type);
  const problem = problemOf(parameter, value);
  const hints = { date: "", time: `By the clock of ${zone}`, integer: "", number: "", flag: "", list: "Between commas", text: "" };
  const hint = problem ?? hints[kind];
  const common = {
    value: value ?? "",
    "aria-invalid": problem ? (true as const) : undefined,
    "aria-describedby": hint ? below : undefined,
  };
  return (
    <div className="parameter">
      <label>
        <span>
          {wordsOf(parameter.name)} <code className="muted">{parameter.type}</code>
        </span>
        {kind === "flag" ? (
          <select className="select-small" {...common} onChange={(event) => onChange(event.target.value)}>
            <option value="">–</option>
            <option value="true">true</option>
            <option value="false">false</option>
          </select>
        ) : (
          <input
            className="select-small"
            type={kind === "date" ? "date" : kind === "time" ? "datetime-local" : "text"}
            step={kind === "time" ? 1 : undefined}
            inputMode={kind === "integer" ? "numeric" : kind === "number" ? "decimal" : undefined}
            autoComplete="off"
            spellCheck={false}
            {...common}
            onChange={(event) => onChange(event.target.value)}
          />
        )}
      </label>
      {hint && (
        <p id={below} className={problem ? "problem" : "muted"}>
          {hint}
        </p>
      )}
    </div>
  );
}
