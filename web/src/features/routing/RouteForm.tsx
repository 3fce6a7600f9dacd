import { useId, useState } from "react";

import type { Names } from "../../api/names";
import { Strategy, strategyName } from "../../api/route";
import { FormActions, FormError, TextField } from "../../ui/Form";
import type { TargetDraft } from "./TargetFields";
import { TargetFields } from "./TargetFields";

export interface RouteDraft {
  name: string;
  strategy: Strategy;
  targets: TargetDraft[];
  strict: boolean;
}

interface RouteFormProps {
  begin: RouteDraft;
  /** Whether it is there already. */
  exists: boolean;
  /** That targets can be of. */
  providers: Names;
  pending: boolean;
  error: unknown;
  onSubmit: (draft: RouteDraft) => void;
  onCancel: () => void;
}

const strategies = [Strategy.SINGLE, Strategy.PRIORITY, Strategy.WEIGHTED];
const nameRule = "What applications write in model: letters, digits and -._:/ inside, at most 128.";

export function RouteForm({ begin, exists, providers, pending, error, onSubmit, onCancel }: RouteFormProps) {
  const [draft, setDraft] = useState(begin);
  const change = (part: Partial<RouteDraft>) => setDraft((d) => ({ ...d, ...part }));
  return (
    <form action={() => onSubmit(weighed(draft))} className="form">
      <TextField
        label="Name"
        required
        maxLength={128}
        pattern="[A-Za-z0-9]([A-Za-z0-9._:\/\-]*[A-Za-z0-9])?"
        title={nameRule}
        hint={nameRule}
        placeholder="gpt-5"
        value={draft.name}
        onChange={(name) => change({ name })}
      />
      <label>
        Strategy
        <select
          value={draft.strategy}
          onChange={(event) => change({ strategy: strategies[event.target.selectedIndex] ?? draft.strategy })}
        >
          {strategies.map((strategy) => (
            <option key={strategy} value={strategy}>
              {strategyName(strategy)}
            </option>
          ))}
        </select>
      </label>
      <TargetFields
        strategy={draft.strategy}
        targets={draft.targets}
        providers={providers}
        onChange={(targets) => change({ targets })}
      />
      <StrictField checked={draft.strict} onChange={(strict) => change({ strict })} />
      <FormError error={error} />
      <FormActions
        pending={pending}
        action={exists ? "Save route" : "Create route"}
        working={exists ? "Saving…" : "Creating…"}
        onCancel={onCancel}
      />
    </form>
  );
}

// A weight that was written before the strategy changed has no meaning any more; a single
// route has one target.
function weighed(draft: RouteDraft): RouteDraft {
  const targets = draft.strategy === Strategy.SINGLE ? draft.targets.slice(0, 1) : draft.targets;
  if (draft.strategy === Strategy.WEIGHTED) return draft;
  return { ...draft, targets: targets.map((target) => ({ ...target, weight: 0 })) };
}

function StrictField({ checked, onChange }: { checked: boolean; onChange: (strict: boolean) => void }) {
  const about = useId();
  return (
    <div className="field">
      <label className="choice">
        <input
          type="checkbox"
          role="switch"
          checked={checked}
          aria-describedby={about}
          onChange={(event) => onChange(event.target.checked)}
        />
        Strict
      </label>
      <p id={about} className="muted">
        A request that a target&apos;s dialect can&apos;t carry whole is not sent to it; otherwise it is sent, and{" "}
        <code>X-Weir-Lossy</code> of the answer names what was left out.
      </p>
    </div>
  );
}
