import { useId } from "react";

import type { Gateway } from "../../api/gateway";
import { useUpdateGateway } from "../../api/gateway";
import { RolloutStrategy } from "../../api/rollout";
import { durationOf, secondsOf } from "../../api/time";
import { useRequestId } from "../../api/transport";
import type { Decision, Told } from "../../ui/Conflict";
import { Conflict, isConflict } from "../../ui/Conflict";
import { FormActions, FormError } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import { useDraft } from "../../ui/useDraft";
import { formatSpan } from "../../format/duration";
import { isStaged, parseSteps } from "./settings";

interface SettingsDialogProps {
  /** As it is now: somebody may change it while this is open. */
  gateway: Gateway;
  onClose: () => void;
}

interface Draft {
  staged: boolean;
  steps: string;
  bakeSeconds: string;
  maxErrorRise: string;
  minRequests: string;
}

/** SettingsDialog changes how configuration comes to a gateway's agents. */
export function SettingsDialog({ gateway, onClose }: SettingsDialogProps) {
  const { base = gateway, draft, change, rebase } = useDraft(gateway, draftOf, draftOf(gateway));
  const requestId = useRequestId();
  const { mutate, isPending, error, reset } = useUpdateGateway();
  const conflict = isConflict(error);
  const theirs = gateway.etag === base.etag ? undefined : gateway;
  const submit = () => {
    const { id, etag } = base;
    const mutation = { requestId: requestId([draft, etag]), etag };
    mutate({ gateway: { id, rollout: settingsOf(draft) }, updateMask: { paths: ["rollout"] }, mutation }, { onSuccess: onClose });
  };
  const decide = (decision: Decision<Draft>) => {
    if (theirs) rebase(theirs, decision);
    reset();
  };
  return (
    <Modal title={`Rollout settings of ${gateway.name}`} open onClose={onClose}>
      <form action={submit} className="form">
        <label>
          Changes of configuration come
          <select value={draft.staged ? "staged" : "once"} onChange={(event) => change({ staged: event.target.value === "staged" })}>
            <option value="once">To every agent at once</option>
            <option value="staged">Step by step, one agent first</option>
          </select>
        </label>
        {draft.staged && <StagedFields draft={draft} onChange={change} />}
        {!draft.staged && isUnderWay(gateway) && (
          <p className="notice notice-warn">The rollout that is under way ends, and every agent gets its configuration at once.</p>
        )}
        {conflict ? (
          <Conflict before={told(draftOf(base))} mine={told(draft)} theirs={theirs && told(draftOf(theirs))} onDecide={decide} />
        ) : (
          <FormError error={error} />
        )}
        <FormActions pending={isPending} blocked={conflict} action="Save settings" working="Saving…" onCancel={onClose} />
      </form>
    </Modal>
  );
}

function isUnderWay({ stage, rollout }: Gateway): boolean {
  return isStaged(rollout) && stage !== undefined && stage.rolloutId !== "" && !stage.pinned;
}

function draftOf({ rollout }: Gateway): Draft {
  const staged = isStaged(rollout);
  return {
    staged,
    steps: staged ? rollout.steps.join(", ") : "10",
    bakeSeconds: String((staged && secondsOf(rollout.bakeTime)) || 300),
    maxErrorRise: String(staged ? rollout.maxErrorRise : 5),
    minRequests: String(staged ? rollout.minRequests : 100),
  };
}

function settingsOf(draft: Draft) {
  if (!draft.staged) return { strategy: RolloutStrategy.ALL_AT_ONCE };
  return {
    strategy: RolloutStrategy.CANARY,
    steps: parseSteps(draft.steps) ?? [],
    bakeTime: durationOf(Number(draft.bakeSeconds)),
    maxErrorRise: Number(draft.maxErrorRise),
    minRequests: Number(draft.minRequests),
  };
}

function told(draft: Draft): Told<Draft> {
  const staged = (words: string) => (draft.staged ? words : "no steps");
  return [
    ["Changes come", draft.staged ? "step by step" : "to every agent at once", "staged"],
    ["Steps, in percent", staged(parseSteps(draft.steps)?.join(", ") ?? draft.steps), "steps"],
    ["Each step lasts at least", staged(formatSpan(Number(draft.bakeSeconds))), "bakeSeconds"],
    ["Held when failures rise by more than", staged(`${draft.maxErrorRise} percentage points`), "maxErrorRise"],
    ["Judged from", staged(`${draft.minRequests} requests on`), "minRequests"],
  ];
}

const stepsRule = "Rising percentages of the connected agents, 1 to 99, at most 10 of them. One agent comes before them, all after.";

interface StagedFieldsProps {
  draft: Draft;
  onChange: (part: Partial<Draft>) => void;
}

function StagedFields({ draft, onChange }: StagedFieldsProps) {
  const rule = useId();
  const checkSteps = (input: HTMLInputElement) => input.setCustomValidity(parseSteps(input.value)?.length ? "" : stepsRule);
  return (
    <>
      <div className="field">
        <label>
          Steps, in percent
          <input
            required
            autoComplete="off"
            aria-describedby={rule}
            value={draft.steps}
            onChange={(event) => {
              checkSteps(event.target);
              onChange({ steps: event.target.value });
            }}
          />
        </label>
        <p id={rule} className="muted">
          {stepsRule}
        </p>
      </div>
      <NumberField label="Each step lasts at least, in seconds" max={86_400} value={draft.bakeSeconds} onChange={(bakeSeconds) => onChange({ bakeSeconds })} />
      <NumberField
        label="Hold when an agent's failures rise by more than, in percentage points"
        max={100}
        value={draft.maxErrorRise}
        onChange={(maxErrorRise) => onChange({ maxErrorRise })}
      />
      <NumberField
        label="Judge an agent's failures from this many requests on"
        max={1_000_000}
        value={draft.minRequests}
        onChange={(minRequests) => onChange({ minRequests })}
      />
    </>
  );
}

interface NumberFieldProps {
  label: string;
  max: number;
  value: string;
  onChange: (value: string) => void;
}

function NumberField({ label, max, value, onChange }: NumberFieldProps) {
  return (
    <label>
      {label}
      <input type="number" required min={1} max={max} step={1} value={value} onChange={(event) => onChange(event.target.value)} />
    </label>
  );
}
