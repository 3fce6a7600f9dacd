import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useState } from "react";

import type { RerateInput } from "../../api/rerate";
import { useDryRerate, useRerateUsage } from "../../api/rerate";
import { useRequestId } from "../../api/transport";
import { toLocalInput, viewerZone } from "../../format/time";
import { FormActions, FormError, SelectField, TextField } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import type { ScopeNames } from "../budgets/names";
import type { Problems } from "../../api/problems";
import { problemsOf } from "../../api/problems";
import { Optional } from "../routing/Optional";
import { Differences } from "./Differences";

interface RerateDialogProps {
  names: ScopeNames;
  onClose: () => void;
  /** After onClose, with its id. */
  onBegun: (id: string) => void;
}

interface Draft {
  from: string;
  until: string;
  projectId: string;
  providerId: string;
  model: string;
  priceUnpriced: boolean;
  reason: string;
}

/** RerateDialog shows what pricing usage anew would come to, and does it only afterwards. */
export function RerateDialog({ names, onClose, onBegun }: RerateDialogProps) {
  const [draft, setDraft] = useState(emptyDraft);
  const dry = useDryRerate();
  const rerate = useRerateUsage();
  const requestId = useRequestId();
  const found = dry.data?.rerate;
  const change = (part: Partial<Draft>) => {
    setDraft((d) => ({ ...d, ...part }));
    dry.reset(); // what was found is of what was asked
  };
  const submit = () => {
    if (!found) {
      dry.mutate({ ...inputOf(draft), mutation: { validateOnly: true } });
      return;
    }
    // The same rows, so that it comes to the same.
    const coveredUntil = found.coveredUntil && { coveredUntil: found.coveredUntil };
    rerate.mutate(
      { ...inputOf(draft), ...coveredUntil, mutation: { requestId: requestId([draft, found.coveredUntil?.seconds.toString()]) } },
      {
        onSuccess: ({ rerate: begun }) => {
          onClose();
          if (begun) onBegun(begun.id);
        },
      },
    );
  };
  const pending = dry.isPending || rerate.isPending;
  const error: unknown = rerate.error ?? dry.error;
  return (
    <Modal title="Price usage anew" open wide held={pending} onClose={onClose}>
      <form action={submit} className="form">
        <p className="muted">
          With the prices that count now. What was recorded stays, and each difference is an entry of its own; budgets and limits are not touched.
        </p>
        <Fields draft={draft} names={names} problems={problemsOf(error, "")} onChange={change} />
        {found && <Differences rerate={found} projects={names.projects} />}
        <FormError error={error} />
        <FormActions
          pending={pending}
          blocked={found !== undefined && (found.total?.corrected ?? 0n) === 0n}
          action={found ? "Apply these differences" : "Run dry"}
          working={found ? "Beginning…" : "Pricing…"}
          onCancel={onClose}
        />
      </form>
    </Modal>
  );
}

const weekMs = 7 * 86_400_000;

function emptyDraft(): Draft {
  const local = (ms: number) => toLocalInput(new Date(ms), viewerZone(), "minute");
  const now = Date.now();
  return { from: local(now - weekMs), until: local(now), projectId: "", providerId: "", model: "", priceUnpriced: false, reason: "" };
}

// Fields of local time are read on the clock of the viewer.
function inputOf({ from, until, ...rest }: Draft): RerateInput {
  return { ...rest, from: timestampFromDate(new Date(from)), until: timestampFromDate(new Date(until)) };
}

interface FieldsProps {
  draft: Draft;
  names: ScopeNames;
  problems: Problems;
  onChange: (part: Partial<Draft>) => void;
}

function Fields({ draft, names, problems, onChange }: FieldsProps) {
  return (
    <>
      <div className="field-pair">
        <TextField label="From" type="datetime-local" required problem={problems("from")} value={draft.from} onChange={(from) => onChange({ from })} />
        <TextField label="Until" type="datetime-local" required problem={problems("until")} value={draft.until} onChange={(until) => onChange({ until })} />
      </div>
      <p className="muted">When requests began, on the clock of {viewerZone()}; at most 400 days.</p>
      {names.projects && (
        <SelectField
          label="Project"
          problem={problems("project_id")}
          options={[["", "Every project"], ...names.projects]}
          value={draft.projectId}
          onChange={(projectId) => onChange({ projectId })}
        />
      )}
      {names.providers && (
        <SelectField
          label="Provider"
          problem={problems("provider_id")}
          options={[["", "Every provider"], ...names.providers]}
          value={draft.providerId}
          onChange={(providerId) => onChange({ providerId })}
        />
      )}
      <TextField
        label="Model (optional)"
        maxLength={200}
        hint="As the provider names it. Empty: every model."
        problem={problems("model")}
        value={draft.model}
        onChange={(model) => onChange({ model })}
      />
      <Optional
        label="Price what had no price, too"
        about="Then it is your word that it used no tools that the provider bills, and was served where it costs no more: what is recorded does not say."
        checked={draft.priceUnpriced}
        onChange={(priceUnpriced) => onChange({ priceUnpriced })}
      />
      <TextField label="Reason, for the audit trail" required maxLength={1000} problem={problems("reason")} value={draft.reason} onChange={(reason) => onChange({ reason })} />
    </>
  );
}
