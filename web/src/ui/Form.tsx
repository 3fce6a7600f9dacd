import type { ComponentProps, ReactNode } from "react";
import { useId } from "react";

import { explain } from "../api/error";

/** FormError says why a form's request was refused. */
export function FormError({ error }: { error: unknown }) {
  if (!error) return null;
  const { title, detail } = explain(error);
  return (
    <p className="notice notice-bad" role="alert">
      <span>
        <b>{title}.</b> {detail}
      </span>
    </p>
  );
}

interface FieldProps {
  label: string;
  hint?: ReactNode;
  /** What the server says is wrong with it. */
  problem?: string | undefined;
}

interface Described {
  "aria-describedby": string | undefined;
  "aria-invalid": true | undefined;
}

/** Field labels an input, with what it must be and what is wrong with it below. */
function Field({ label, hint, problem, children }: FieldProps & { children: (described: Described) => ReactNode }) {
  const below = useId();
  const wrong = useId();
  const described = {
    "aria-describedby": [problem && wrong, hint && below].filter(Boolean).join(" ") || undefined,
    "aria-invalid": problem ? (true as const) : undefined,
  };
  return (
    <div className="field">
      <label>
        {label}
        {children(described)}
      </label>
      <Problem id={wrong} problem={problem} />
      {hint && (
        <p id={below} className="muted">
          {hint}
        </p>
      )}
    </div>
  );
}

interface TextFieldProps extends FieldProps, Omit<ComponentProps<"input">, "onChange"> {
  label: string;
  onChange: (value: string) => void;
}

/** TextField is one line of text that no browser completes or corrects, with what it must be below. */
export function TextField({ label, hint, problem, onChange, ...input }: TextFieldProps) {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {(described) => (
        <input autoComplete="off" autoCapitalize="off" spellCheck={false} {...described} onChange={(event) => onChange(event.target.value)} {...input} />
      )}
    </Field>
  );
}

interface TextAreaFieldProps extends FieldProps, Omit<ComponentProps<"textarea">, "onChange"> {
  label: string;
  onChange: (value: string) => void;
}

/** TextAreaField is several lines of text that no browser completes or corrects, with what they must be below. */
export function TextAreaField({ label, hint, problem, onChange, ...area }: TextAreaFieldProps) {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {(described) => (
        <textarea autoComplete="off" autoCapitalize="off" spellCheck={false} {...described} onChange={(event) => onChange(event.target.value)} {...area} />
      )}
    </Field>
  );
}

interface SelectFieldProps<T extends string | number> extends FieldProps {
  options: readonly (readonly [value: T, label: string])[];
  required?: boolean;
  value: T;
  onChange: (value: T) => void;
}

/** SelectField is a choice of one, with what it means below. */
export function SelectField<T extends string | number>({ label, hint, problem, options, required = false, value, onChange }: SelectFieldProps<T>) {
  return (
    <Field label={label} hint={hint} problem={problem}>
      {(described) => (
        <select required={required} value={value} {...described} onChange={(event) => onChange(options[event.target.selectedIndex]?.[0] ?? value)}>
          {options.map(([option, text]) => (
            <option key={option} value={option}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** Problem says at a field what the server refused it for. */
export function Problem({ id, problem }: { id: string; problem: string | undefined }) {
  if (!problem) return null;
  return (
    <p id={id} className="problem">
      {problem}
    </p>
  );
}

// As the contract has it, without the anchors that HTML adds by itself.
const namePattern = "[a-z0-9]([a-z0-9\\-]{0,61}[a-z0-9])?";
const nameRule = "1 to 63 lower-case letters, digits and dashes; no dash first or last.";

interface NameFieldProps {
  placeholder: string;
  /** What the server says is wrong with it. */
  problem?: string | undefined;
  value: string;
  onChange: (name: string) => void;
}

/** NameField takes the name of a thing. */
export function NameField(props: NameFieldProps) {
  return <TextField label="Name" required pattern={namePattern} title={nameRule} hint={nameRule} {...props} />;
}

interface FormActionsProps {
  pending: boolean;
  /** Whether the button has to wait for something else. */
  blocked?: boolean | undefined;
  /** Whether it ends something. */
  danger?: boolean | undefined;
  /** What the button says, and while it works. */
  action: string;
  working: string;
  /** What the other button says. */
  cancel?: string | undefined;
  onCancel: () => void;
}

/** FormActions end a form. */
export function FormActions({ pending, blocked = false, danger = false, action, working, cancel = "Cancel", onCancel }: FormActionsProps) {
  return (
    <div className="form-actions">
      <button type="button" className="button" disabled={pending} onClick={onCancel}>
        {cancel}
      </button>
      <button type="submit" className={`button ${danger ? "button-danger-solid" : "button-primary"}`} disabled={blocked || pending}>
        {pending ? working : action}
      </button>
    </div>
  );
}
