import type { CreateKeyResponse } from "../../api/key";
import { CopyButton } from "../../ui/CopyButton";
import { curlSnippet } from "./snippet";

interface NewKeyProps {
  made: CreateKeyResponse;
  route: string;
  onClose: () => void;
}

/** NewKey shows a secret that is nowhere else, and a first request with it. */
export function NewKey({ made, route, onClose }: NewKeyProps) {
  return (
    <div className="form">
      {made.secretAlreadyShown ? <LostSecret /> : <Secret secret={made.secret} route={route} />}
      <div className="form-actions">
        <button type="button" className="button button-primary" onClick={onClose}>
          Done
        </button>
      </div>
    </div>
  );
}

function Secret({ secret, route }: { secret: string; route: string }) {
  const snippet = curlSnippet(secret, route);
  return (
    <>
      <p className="notice notice-warn">
        <span>
          <b>Copy it now.</b> Only a fingerprint is kept; nobody can show this key again.
        </span>
      </p>
      <Copyable title="Key" text={secret} what="key" />
      <Copyable title="First request" text={snippet} what="curl command" />
      <p className="muted">
        <code>WEIR_AGENT_URL</code> is the address of an agent of your gateway.
      </p>
    </>
  );
}

function LostSecret() {
  return (
    <p className="notice notice-warn">
      <span>
        <b>The key exists, but its secret was sent before and is gone.</b> Revoke it and create another.
      </span>
    </p>
  );
}

function Copyable({ title, text, what }: { title: string; text: string; what: string }) {
  return (
    <section className="copyable" aria-label={title}>
      <div className="copyable-head">
        <h3>{title}</h3>
        <CopyButton text={text} what={what} />
      </div>
      <pre tabIndex={0}>{text}</pre>
    </section>
  );
}
