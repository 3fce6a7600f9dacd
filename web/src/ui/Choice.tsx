interface ChoiceProps<T extends string> {
  label: string;
  /** What stands for no choice. */
  any: string;
  known: readonly T[];
  labels: Record<T, string>;
  value: T | undefined;
  onChange: (value: T | undefined) => void;
}

/** Choice narrows a list by one thing, or by nothing. */
export function Choice<T extends string>({ label, any, known, labels, value, onChange }: ChoiceProps<T>) {
  return (
    <select className="select-small" aria-label={label} value={value ?? ""} onChange={(event) => onChange(known.find((k) => k === event.target.value))}>
      <option value="">{any}</option>
      {known.map((k) => (
        <option key={k} value={k}>
          {labels[k]}
        </option>
      ))}
    </select>
  );
}
