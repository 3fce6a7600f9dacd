import type { ReactNode } from "react";
import { useState } from "react";

import { ConfirmForm } from "../../ui/ConfirmForm";
import { TextField } from "../../ui/Form";

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
    <ConfirmForm
      title={title}
      about={about}
      verb={action}
      doing={working}
      danger
      change={change}
      onSubmit={() => onSubmit(reason)}
      onClose={onClose}
    >
      {children}
      <TextField label="Reason, for the audit trail" required maxLength={500} value={reason} onChange={setReason} />
    </ConfirmForm>
  );
}
