import type { ReactNode } from "react";
import { useId } from "react";

import { Problem } from "../../ui/Form";

interface OptionalProps {
  label: string;
  about: ReactNode;
  checked: boolean;
  problem?: string | undefined;
  onChange: (checked: boolean) => void;
  /** Shown while it is checked. */
  children?: ReactNode;
}

/** Optional is a part of a form that is switched on. */
export function Optional({ label, about, checked, problem, onChange, children }: OptionalProps) {
  const hint = useId();
  const wrong = useId();
  return (
    <>
      <div className="field">
        <label className="choice">
          <input
            type="checkbox"
            role="switch"
            checked={checked}
            aria-describedby={problem ? `${wrong} ${hint}` : hint}
            aria-invalid={problem ? true : undefined}
            onChange={(event) => onChange(event.target.checked)}
          />
          {label}
        </label>
        <Problem id={wrong} problem={problem} />
        <p id={hint} className="muted">
          {about}
        </p>
      </div>
      {checked && children}
    </>
  );
}
