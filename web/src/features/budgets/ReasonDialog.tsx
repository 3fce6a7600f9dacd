import type { ReactNode } from "react";
import { useState } from "react";

import { FormError, TextField } from "../../ui/Form";
import { Confirm } from "../../ui/Overlay";

interface ReasonDialogProps {
  title: string;
  about: ReactNode;
  /** What the button says, and while it works. */
  action: string;
  working: string;
  change: { isPending: boolean; error: unknown };
  onSubmit: (reason: string) => void;
  onClose: () => void;
  children?: ReactNode;
}

/** ReasonDialog holds something back until somebody says why it is done. */
export function ReasonDialog({ title, about, action, working, change, onSubmit, onClose, children }: ReasonDialogProps) {
  const [reason, setReason] = useState("");
  return (
    <Confirm title={title} about={about} open onClose={onClose}>
      <form action={() => onSubmit(reason)} className="form">
        {children}
        <TextField label="Reason, for the audit trail" required maxLength={500} value={reason} onChange={setReason} />
        <FormError error={change.error} />
        <div className="form-actions">
          <button type="button" className="button" disabled={change.isPending} onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button button-danger-solid" disabled={change.isPending}>
            {change.isPending ? working : action}
          </button>
        </div>
      </form>
    </Confirm>
  );
}
