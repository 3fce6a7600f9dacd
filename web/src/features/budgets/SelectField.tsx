import type { ReactNode } from "react";
import { useId } from "react";

import { Problem } from "../../ui/Form";

interface SelectFieldProps<T extends string | number> {
  label: string;
  options: readonly (readonly [value: T, label: string])[];
  hint?: ReactNode;
  problem?: string | undefined;
  required?: boolean;
  value: T;
  onChange: (value: T) => void;
}

/** SelectField is a choice of one, with what it means below. */
export function SelectField<T extends string | number>({ label, options, hint, problem, required = false, value, onChange }: SelectFieldProps<T>) {
  const below = useId();
  const wrong = useId();
  return (
    <div className="field">
      <label>
        {label}
        <select
          required={required}
          value={value}
          aria-describedby={[problem && wrong, hint && below].filter(Boolean).join(" ") || undefined}
          aria-invalid={problem ? true : undefined}
          onChange={(event) => onChange(options[event.target.selectedIndex]?.[0] ?? value)}
        >
          {options.map(([option, text]) => (
            <option key={option} value={option}>
              {text}
            </option>
          ))}
        </select>
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
