import type { ReactNode } from "react";

import type { Decision, Told } from "../../ui/Conflict";
import { Conflict } from "../../ui/Conflict";
import { FormActions, FormError } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";

interface QuotaFormProps<T extends { name: string }, D> {
  /** "budget". */
  what: string;
  /** What is changed, as it was read last; undefined: a new one is made. */
  base: T | undefined;
  told: (quota: T) => Told<D>;
  /** Somebody changed it meanwhile, into theirs; undefined: that is being asked for. */
  conflict: boolean;
  theirs: T | undefined;
  /** What the form asks for; undefined: it can't be read. */
  mine: T | undefined;
  pending: boolean;
  /** Whether what is written can't be asked for. */
  blocked?: boolean;
  error: unknown;
  onSubmit: () => void;
  /** Goes on from theirs. */
  onDecide: (theirs: T, decision: Decision<D>) => void;
  onClose: () => void;
  children: ReactNode;
}

/** QuotaForm holds the fields of a budget, a limit or what is changed as they are, what is wrong with them, and what can be done. */
export function QuotaForm<T extends { name: string }, D>({ what, base, told, conflict, theirs, mine, pending, blocked = false, error, onSubmit, onDecide, onClose, children }: QuotaFormProps<T, D>) {
  return (
    <Modal title={base ? `Change ${base.name}` : `Create ${what}`} open held={pending} onClose={onClose}>
      <form action={onSubmit} className="form">
        {children}
        {conflict && base ? (
          <Conflict
            before={told(base)}
            mine={told(mine ?? base)}
            theirs={theirs && told(theirs)}
            onDecide={(decision) => theirs && onDecide(theirs, decision)}
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
