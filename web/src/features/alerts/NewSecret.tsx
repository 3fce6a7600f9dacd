import "../keys/keys.css";

import { useEffect, useRef } from "react";

import { Copyable } from "../keys/Copyable";

/** NewSecret shows a secret that nobody can show again. */
export function NewSecret({ secret, onClose }: { secret: string; onClose: () => void }) {
  const self = useRef<HTMLDivElement>(null);
  // The button that had the focus went with the form.
  useEffect(() => self.current?.focus(), []);
  return (
    <div ref={self} tabIndex={-1} className="form new-key">
      <p className="notice notice-warn">
        <span>
          <b>Copy it now, to the receiver.</b> Messages are signed with it, and nobody can show it again. This stays open until you say that you
          have it.
        </span>
      </p>
      <Copyable title="Secret" text={secret} what="secret" />
      <div className="form-actions">
        <button type="button" className="button button-primary" onClick={onClose}>
          I have copied the secret
        </button>
      </div>
    </div>
  );
}
