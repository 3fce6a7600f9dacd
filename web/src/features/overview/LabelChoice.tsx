import { useState } from "react";

import { labelOf } from "./breakdown";

interface LabelChoiceProps {
  name: string;
  onChange: (name: string) => void;
}

/** LabelChoice is the name of the label that requests are broken down by. */
export function LabelChoice({ name, onChange }: LabelChoiceProps) {
  const [typed, setTyped] = useState(name);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (labelOf(`label:${typed}`) !== undefined) onChange(typed);
      }}
    >
      <input className="select-small" aria-label="Name of the label" value={typed} autoComplete="off" spellCheck={false} onChange={(event) => setTyped(event.target.value)} />
    </form>
  );
}
