import type { ReactNode } from "react";
import { useEffect, useRef } from "react";

import type { CreateKeyResponse, RotateKeyResponse } from "../../api/key";
import { Copyable } from "./Copyable";
import { FirstRequest } from "./FirstRequest";

interface NewKeyProps {
  made: CreateKeyResponse | RotateKeyResponse;
  route: string;
  /** What to do where the secret can't be shown. */
  lost: string;
  onClose: () => void;
  /** What else there is to know. */
  children?: ReactNode;
}

/** NewKey shows a secret that is nowhere else, and a first request with it. */
export function NewKey({ made, route, lost, onClose, children }: NewKeyProps) {
  const self = useRef<HTMLDivElement>(null);
  // The button that had the focus went with the form.
  useEffect(() => self.current?.focus(), []);
  return (
    <div ref={self} tabIndex={-1} className="form new-key">
      {made.secretAlreadyShown ? <LostSecret lost={lost} /> : <Secret secret={made.secret} route={route} />}
      {children}
      <div className="form-actions">
        <button type="button" className="button button-primary" onClick={onClose}>
          {made.secretAlreadyShown ? "Close" : "I have copied the key"}
        </button>
      </div>
    </div>
  );
}

function Secret({ secret, route }: { secret: string; route: string }) {
  return (
    <>
      <p className="notice notice-warn">
        <span>
          <b>Copy it now.</b> Only a fingerprint is kept; nobody can show this key again. This stays open until you say
          that you have it.
        </span>
      </p>
      <Copyable title="Key" text={secret} what="key" />
      <FirstRequest secret={secret} route={route} />
    </>
  );
}

function LostSecret({ lost }: { lost: string }) {
  return (
    <p className="notice notice-warn">
      <span>
        <b>The key exists, but its secret was sent before and is gone.</b> {lost}
      </span>
    </p>
  );
}
