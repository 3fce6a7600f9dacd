import { mayListAlertChannels, useAlertChannelNames } from "../../api/alertChannel";
import type { Budget } from "../../api/budget";
import { budgetOf, useBudget, useCreateBudget, useUpdateBudget } from "../../api/budget";
import { useRequestId } from "../../api/transport";
import { QuotaMode } from "../../api/quota";
import { formatMoney, parseMoney } from "../../format/money";
import { NameField, TextField } from "../../ui/Form";
import { AlertFields } from "./AlertFields";
import { isConflict } from "../../ui/Conflict";
import { useDraft } from "../../ui/useDraft";
import type { BudgetDraft } from "./draft";
import { budgetDraftOf, budgetInputOf, budgetPaths, emptyBudget, parsePercents } from "./draft";
import { ModeFields } from "./ModeFields";
import type { ScopeNames } from "./names";
import type { Problems } from "../../api/problems";
import { problemsOf } from "../../api/problems";
import { useMay } from "../session/permission";
import { QuotaForm } from "./QuotaForm";
import { ScopeFields } from "./ScopeFields";
import { WindowFields } from "./WindowFields";
import { budgetTold } from "./words";

interface BudgetDialogProps {
  /** The one to change; absent: a new one. */
  subject?: Budget;
  names: ScopeNames;
  onClose: () => void;
  /** After onClose, with its id. */
  onSaved?: (id: string) => void;
}

/** BudgetDialog makes a budget, or changes one. */
export function BudgetDialog({ subject, names, onClose, onSaved }: BudgetDialogProps) {
  const { base, draft, change, rebase } = useDraft(subject, budgetDraftOf, emptyBudget());
  const create = useCreateBudget();
  const update = useUpdateBudget();
  const requestId = useRequestId();
  const { isPending, error, reset } = base ? update : create;
  const conflict = isConflict(error);
  const channels = useAlertChannelNames(useMay()(mayListAlertChannels) && conflict);
  const now = useBudget(conflict && base ? base.id : "", true);
  const theirs = conflict && now.isFetchedAfterMount ? now.data?.budget : undefined;
  const mine = () => {
    const input = budgetInputOf(draft);
    return input && budgetOf(input);
  };
  const done = (id: string | undefined) => {
    onClose();
    if (id) onSaved?.(id);
  };
  const submit = () => {
    const input = budgetInputOf(draft);
    if (!input) return;
    if (!base) {
      create.mutate({ ...input, mutation: { requestId: requestId(draft) } }, { onSuccess: ({ budget }) => done(budget?.id) });
      return;
    }
    const { id, etag } = base;
    const budget = { ...input, scope: undefined, id, etag };
    const said = { requestId: requestId([draft, etag]) };
    update.mutate({ budget, updateMask: { paths: budgetPaths }, mutation: said }, { onSuccess: () => done(undefined) });
  };
  return (
    <QuotaForm
      what="budget"
      base={base}
      told={(b) => budgetTold(b, channels)}
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
      <Fields draft={draft} names={base ? undefined : names} problems={problemsOf(error, "budget")} onChange={change} />
    </QuotaForm>
  );
}

interface FieldsProps {
  draft: BudgetDraft;
  /** undefined: what it is about can't change. */
  names: ScopeNames | undefined;
  problems: Problems;
  onChange: (part: Partial<BudgetDraft>) => void;
}

function Fields({ draft, names, problems, onChange }: FieldsProps) {
  const written = (field: string, fine: boolean, rule: string) => problems(field) ?? (fine ? undefined : rule);
  return (
    <>
      <NameField placeholder="search-monthly" problem={problems("name")} value={draft.name} onChange={(name) => onChange({ name })} />
      {names && <ScopeFields scope={draft.scope} names={names} problems={problems} onChange={(scope) => onChange({ scope })} />}
      <MoneyField label="Amount, dollars" problem={problems("amount_nano_usd")} value={draft.amount} onChange={(amount) => onChange({ amount })} />
      <WindowFields window={draft.window} carryOver={draft.carryOver} problems={problems} onChange={onChange} />
      <ModeFields
        mode={draft.mode}
        whenUnreachable={draft.whenUnreachable}
        asks={draft.mode === QuotaMode.SOFT}
        problems={problems}
        onChange={onChange}
      />
      <AlertFields
        percents={draft.percents}
        channels={draft.channels}
        problems={(field) =>
          field === "alert_percents" ? written(field, parsePercents(draft.percents) !== undefined, "Numbers from 1 to 100, between commas.") : problems(field)
        }
        onChange={onChange}
      />
    </>
  );
}

interface MoneyFieldProps {
  label: string;
  problem: string | undefined;
  value: string;
  onChange: (value: string) => void;
}

const moneyRule = "Dollars with up to nine decimals: 250, 0.05 or 1,000.50.";

/** MoneyField takes an amount to the nano-dollar and says back what it read. */
export function MoneyField({ label, problem, value, onChange }: MoneyFieldProps) {
  const read = parseMoney(value);
  return (
    <TextField
      label={label}
      required
      inputMode="decimal"
      placeholder="250"
      pattern="\$?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]{1,9})?"
      title={moneyRule}
      hint={read === undefined ? moneyRule : `Exactly ${formatMoney(read)}.`}
      problem={problem}
      value={value}
      onChange={onChange}
    />
  );
}
