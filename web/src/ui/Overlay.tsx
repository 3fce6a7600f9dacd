import { AlertDialog } from "@base-ui/react/alert-dialog";
import { Dialog } from "@base-ui/react/dialog";
import type { ReactNode } from "react";
import { useRef } from "react";

interface OverlayProps {
  title: string;
  open: boolean;
  /** Whether it stays until something inside closes it: Escape, a click outside and ✕ don't. */
  held?: boolean;
  onClose: () => void;
  children: ReactNode;
}

interface WideProps extends OverlayProps {
  /** Whether it has room for charts and tables. */
  wide?: boolean;
}

/** Drawer shows details beside the page. */
export function Drawer({ wide = false, ...props }: WideProps) {
  return <Sheet {...props} className={wide ? "drawer drawer-wide" : "drawer"} />;
}

/** Modal asks for input above the page. */
export function Modal({ wide = false, ...props }: WideProps) {
  return <Sheet {...props} className={wide ? "modal modal-wide" : "modal"} />;
}

function Sheet({ title, open, held = false, onClose, children, className }: OverlayProps & { className: string }) {
  const body = useRef<HTMLDivElement>(null);
  const firstField = () => body.current?.querySelector<HTMLElement>("input, select") ?? true;
  return (
    <Dialog.Root open={open} onOpenChange={(next) => !next && !held && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className={className} initialFocus={firstField}>
          <div className="overlay-head">
            <Dialog.Title>{title}</Dialog.Title>
            {!held && (
              <Dialog.Close className="button button-quiet" aria-label="Close">
                <svg className="overlay-close" viewBox="0 0 16 16" aria-hidden="true">
                  <path d="M4 4l8 8M12 4l-8 8" />
                </svg>
              </Dialog.Close>
            )}
          </div>
          <div ref={body} className="overlay-body">
            {children}
          </div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

interface ConfirmProps {
  title: string;
  about: ReactNode;
  open: boolean;
  onClose: () => void;
  children: ReactNode;
}

/** Confirm holds back something that can't be undone; it closes only by a choice. */
export function Confirm({ title, about, open, onClose, children }: ConfirmProps) {
  return (
    <AlertDialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className="backdrop" />
        <AlertDialog.Popup className="modal">
          <div className="overlay-head">
            <AlertDialog.Title>{title}</AlertDialog.Title>
          </div>
          <div className="overlay-body">
            <AlertDialog.Description>{about}</AlertDialog.Description>
            {children}
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
