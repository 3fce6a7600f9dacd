import type { ReactNode } from "react";

import { FormActions, FormError } from "./Form";
import { Confirm } from "./Overlay";

interface ConfirmFormProps {
  title: string;
  about: ReactNode;
  /** Of the button: "Promote", and while it is under way "Promoting…". */
  verb: string;
  doing: string;
  /** Of the button that leaves all as it is: "Keep key". */
  keep?: string;
  /** Whether it ends something. */
  danger?: boolean;
  /** Whether the button has to wait for something. */
  blocked?: boolean;
  change: { isPending: boolean; error: unknown };
  onSubmit: () => void;
  onClose: () => void;
  children?: ReactNode;
}

/** ConfirmForm says what is going to happen before it does. */
export function ConfirmForm({ title, about, verb, doing, keep, danger, blocked, change, onSubmit, onClose, children }: ConfirmFormProps) {
  return (
    <Confirm title={title} about={about} open onClose={onClose}>
      <form action={onSubmit} className="form">
        {children}
        <FormError error={change.error} />
        <FormActions pending={change.isPending} blocked={blocked} danger={danger} action={verb} working={doing} cancel={keep} onCancel={onClose} />
      </form>
    </Confirm>
  );
}
