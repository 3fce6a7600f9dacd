import type { ReactNode } from "react";

import type { Told } from "../../ui/Conflict";
import { Conflict } from "../../ui/Conflict";
import { FormActions, FormError } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";

interface QuotaFormProps<T extends { name: string }> {
  /** "budget". */
  what: string;
  /** What is changed, as it was read last; undefined: a new one is made. */
  base: T | undefined;
  told: (quota: T) => Told;
  /** Somebody changed it meanwhile, into theirs; undefined: that is being asked for. */
  conflict: boolean;
  theirs: T | undefined;
  pending: boolean;
  /** Whether what is written can't be asked for. */
  blocked?: boolean;
  error: unknown;
  onSubmit: () => void;
  onTakeTheirs: (theirs: T) => void;
  onKeepMine: (theirs: T) => void;
  onClose: () => void;
  children: ReactNode;
}

/** QuotaForm holds the fields of a budget, a limit or what is changed as they are, what is wrong with them, and what can be done. */
export function QuotaForm<T extends { name: string }>({ what, base, told, conflict, theirs, pending, blocked = false, error, onSubmit, onTakeTheirs, onKeepMine, onClose, children }: QuotaFormProps<T>) {
  return (
    <Modal title={base ? `Change ${base.name}` : `Create ${what}`} open held={pending} onClose={onClose}>
      <form action={onSubmit} className="form">
        {children}
        {conflict && base ? (
          <Conflict
            before={told(base)}
            theirs={theirs && told(theirs)}
            onTakeTheirs={() => theirs && onTakeTheirs(theirs)}
            onKeepMine={() => theirs && onKeepMine(theirs)}
          />
        ) : (
          <FormError error={error} />
        )}
        <FormActions
          pending={pending}
          blocked={conflict || blocked}
          action={base ? `Save ${what}` : `Create ${what}`}
          working={base ? "Saving…" : "Creating…"}
          onCancel={onClose}
        />
      </form>
    </Modal>
  );
}
