import type { QuotaMode } from "../../api/quota";
import { WhenUnreachable } from "../../api/quota";
import { SelectField } from "../../ui/Form";
import type { Problems } from "../../api/problems";
import { choosableModes, modeName, modeWords } from "./words";

interface ModeFieldsProps {
  mode: QuotaMode;
  whenUnreachable: WhenUnreachable;
  /** Whether somebody has to say what becomes of requests while the control plane is away. */
  asks: boolean;
  problems: Problems;
  onChange: (part: { mode?: QuotaMode; whenUnreachable?: WhenUnreachable }) => void;
}

/** ModeFields choose how a quota is meant. */
export function ModeFields({ mode, whenUnreachable, asks, problems, onChange }: ModeFieldsProps) {
  return (
    <>
      <SelectField
        label="Mode"
        hint={modeWords(mode)}
        problem={problems("mode")}
        options={choosableModes.map((m) => [m, modeName(m)])}
        value={mode}
        onChange={(mode) => onChange({ mode })}
      />
      {asks && (
        <SelectField
          label="While the control plane is away"
          hint="Agents use up what they were given first."
          problem={problems("when_unreachable")}
          options={[
            [WhenUnreachable.ALLOW, "Serve requests"],
            [WhenUnreachable.REFUSE, "Refuse requests"],
          ]}
          value={whenUnreachable || WhenUnreachable.ALLOW}
          onChange={(whenUnreachable) => onChange({ whenUnreachable })}
        />
      )}
    </>
  );
}
