import type { Limit } from "../../api/limit";
import { limitOf, LimitMetric, LimitWindow, useCreateLimit, useLimit, useUpdateLimit } from "../../api/limit";
import { useRequestId } from "../../api/transport";
import { NameField, SelectField, TextField } from "../../ui/Form";
import { isConflict } from "../../ui/Conflict";
import { useDraft } from "../../ui/useDraft";
import type { LimitDraft } from "./draft";
import { emptyLimit, limitDraftOf, limitInputOf, limitPaths, parseCount } from "./draft";
import { ModeFields } from "./ModeFields";
import type { ScopeNames } from "./names";
import type { Problems } from "../../api/problems";
import { problemsOf } from "../../api/problems";
import { QuotaForm } from "./QuotaForm";
import { ScopeFields } from "./ScopeFields";
import { amountWords, limitTold, limitWindowName, metricName, unitOf } from "./words";

interface LimitDialogProps {
  /** The one to change; absent: a new one. */
  subject?: Limit;
  names: ScopeNames;
  onClose: () => void;
  /** After onClose, with its id. */
  onSaved?: (id: string) => void;
}

/** LimitDialog makes a limit, or changes one. */
export function LimitDialog({ subject, names, onClose, onSaved }: LimitDialogProps) {
  const { base, draft, change, rebase } = useDraft(subject, limitDraftOf, emptyLimit);
  const create = useCreateLimit();
  const update = useUpdateLimit();
  const requestId = useRequestId();
  const { isPending, error, reset } = base ? update : create;
  const conflict = isConflict(error);
  const now = useLimit(conflict && base ? base.id : "", true);
  const theirs = conflict && now.isFetchedAfterMount ? now.data?.limit : undefined;
  const mine = () => {
    const input = limitInputOf(draft);
    return input && limitOf(input);
  };
  const done = (id: string | undefined) => {
    onClose();
    if (id) onSaved?.(id);
  };
  const submit = () => {
    const input = limitInputOf(draft);
    if (!input) return;
    if (!base) {
      create.mutate({ ...input, mutation: { requestId: requestId(draft) } }, { onSuccess: ({ limit }) => done(limit?.id) });
      return;
    }
    const { id, etag } = base;
    const limit = { ...input, scope: undefined, id, etag };
    const said = { requestId: requestId([draft, etag]) };
    update.mutate({ limit, updateMask: { paths: limitPaths }, mutation: said }, { onSuccess: () => done(undefined) });
  };
  return (
    <QuotaForm
      what="limit"
      base={base}
      told={limitTold}
      conflict={conflict}
      theirs={theirs}
      mine={conflict ? mine() : undefined}
      pending={isPending}
      error={error}
      onSubmit={submit}
      onDecide={(theirs, decision) => {
        rebase(theirs, decision);
        reset();
      }}
      onClose={onClose}
    >
      <Fields draft={draft} names={base ? undefined : names} problems={problemsOf(error, "limit")} onChange={change} />
    </QuotaForm>
  );
}

interface FieldsProps {
  draft: LimitDraft;
  /** undefined: what it is about and what it counts can't change. */
  names: ScopeNames | undefined;
  problems: Problems;
  onChange: (part: Partial<LimitDraft>) => void;
}

const metrics = [LimitMetric.REQUESTS, LimitMetric.TOKENS, LimitMetric.CONCURRENT_REQUESTS];
const windows = [LimitWindow.SECOND, LimitWindow.MINUTE, LimitWindow.HOUR, LimitWindow.DAY];
const countRule = "A whole number: 600 or 1,000,000.";

function Fields({ draft, names, problems, onChange }: FieldsProps) {
  const read = parseCount(draft.amount);
  return (
    <>
      <NameField placeholder="search-per-minute" problem={problems("name")} value={draft.name} onChange={(name) => onChange({ name })} />
      {names && (
        <>
          <ScopeFields scope={draft.scope} names={names} problems={problems} onChange={(scope) => onChange({ scope })} />
          <SelectField
            label="What it counts"
            hint="This can't change later."
            problem={problems("metric")}
            options={metrics.map((m) => [m, metricName(m)])}
            value={draft.metric}
            onChange={(metric) => onChange({ metric })}
          />
        </>
      )}
      <TextField
        label="At most"
        required
        inputMode="numeric"
        placeholder="600"
        pattern="[0-9][0-9,]*"
        title={countRule}
        hint={read === undefined ? countRule : `${amountWords(unitOf(draft.metric), read)}.`}
        problem={problems("amount")}
        value={draft.amount}
        onChange={(amount) => onChange({ amount })}
      />
      {draft.metric !== LimitMetric.CONCURRENT_REQUESTS && (
        <SelectField
          label="Window"
          hint="On the clock of UTC."
          problem={problems("window")}
          options={windows.map((w) => [w, limitWindowName(w)])}
          value={draft.window}
          onChange={(window) => onChange({ window })}
        />
      )}
      <ModeFields mode={draft.mode} whenUnreachable={draft.whenUnreachable} asks problems={problems} onChange={onChange} />
    </>
  );
}
