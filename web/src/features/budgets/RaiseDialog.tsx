import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useState } from "react";

import type { Budget } from "../../api/budget";
import { useRaiseBudget } from "../../api/budget";
import { dateOf } from "../../api/time";
import { useRequestId } from "../../api/transport";
import { formatMoney, parseMoney } from "../../format/money";
import { toLocalInput, viewerZone } from "../../format/time";
import { FormActions, FormError, TextField } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import { MoneyField } from "./BudgetDialog";
import { problemsOf } from "../../api/problems";

interface RaiseDialogProps {
  budget: Budget;
  onClose: () => void;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** RaiseDialog adds to a budget until some time, for a reason. */
export function RaiseDialog({ budget, onClose }: RaiseDialogProps) {
  const [amount, setAmount] = useState("");
  const [until, setUntil] = useState(() => untilOf(budget));
  const [reason, setReason] = useState("");
  const requestId = useRequestId();
  const raise = useRaiseBudget();
  const problems = problemsOf(raise.error, "");
  const amountNanoUsd = parseMoney(amount);
  const submit = () => {
    if (amountNanoUsd === undefined) return;
    // A field of local time is read on the clock of the viewer.
    const expiresAt = timestampFromDate(new Date(until));
    raise.mutate(
      { id: budget.id, amountNanoUsd, expiresAt, reason, mutation: { requestId: requestId([amount, until, reason]) } },
      { onSuccess: onClose },
    );
  };
  return (
    <Modal title={`Raise ${budget.name} for a while`} open held={raise.isPending} onClose={onClose}>
      <form action={submit} className="form">
        <p className="muted">
          It is added to {formatMoney(budget.amountNanoUsd)} and ends by itself. {budget.lastRaise && "It takes the place of an earlier raise."}
        </p>
        <MoneyField label="Add, dollars" problem={problems("amount_nano_usd")} value={amount} onChange={setAmount} />
        <TextField
          label="Until"
          type="datetime-local"
          required
          hint={`On the clock of ${viewerZone()}, at most 366 days away.`}
          problem={problems("expires_at")}
          value={until}
          onChange={setUntil}
        />
        <TextField label="Reason, for the audit trail" required maxLength={500} problem={problems("reason")} value={reason} onChange={setReason} />
        <FormError error={raise.error} />
        <FormActions pending={raise.isPending} action="Raise budget" working="Raising…" onCancel={onClose} />
      </form>
    </Modal>
  );
}

// The end of the window, where it has one of its own that is neither at once nor too far away; else tomorrow.
function untilOf({ window, currentWindow }: Budget): string {
  const ends = window?.window.case === "calendar" ? dateOf(currentWindow?.endsAt) : undefined;
  const now = Date.now();
  const left = ends ? ends.getTime() - now : 0;
  const until = ends && left > hourMs && left <= 366 * dayMs ? ends : new Date(now + dayMs);
  return toLocalInput(until, viewerZone(), "minute");
}
