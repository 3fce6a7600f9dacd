import { useState } from "react";

import type { ServiceAccount, ServiceAccountToken } from "../../api/serviceAccount";
import { mayCreateServiceAccount, mayRevokeServiceAccountToken, useRevokeServiceAccountToken } from "../../api/serviceAccount";
import { dateOf } from "../../api/time";
import { newRequestId } from "../../api/transport";
import { Badge } from "../../ui/Badge";
import { ConfirmForm } from "../../ui/ConfirmForm";
import { useNow } from "../../ui/useNow";
import { Ago, Time } from "../../ui/Value";
import { useMay } from "../session/permission";
import { CreateTokenDialog } from "./CreateTokenDialog";
import { tokenStatus } from "./status";

/** Tokens are what a service account authenticates with. */
export function Tokens({ subject }: { subject: ServiceAccount }) {
  const may = useMay();
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<ServiceAccountToken>();
  return (
    <section className="facts" aria-label="Tokens">
      <h3>Tokens</h3>
      {subject.tokens.length === 0 && <p className="muted">None yet: without one nothing can call the API as this service account.</p>}
      <ul className="people-list">
        {subject.tokens.map((token) => (
          <Row key={token.id} token={token} onRevoke={may(mayRevokeServiceAccountToken) ? setRevoking : undefined} />
        ))}
      </ul>
      {may(mayCreateServiceAccount) && (
        <div>
          <button type="button" className="button button-small" onClick={() => setCreating(true)}>
            Create token
          </button>
        </div>
      )}
      {creating && <CreateTokenDialog subject={subject} onClose={() => setCreating(false)} />}
      {revoking && <Revoke token={revoking} onClose={() => setRevoking(undefined)} />}
    </section>
  );
}

interface RowProps {
  token: ServiceAccountToken;
  /** Absent where the role may not. */
  onRevoke: ((token: ServiceAccountToken) => void) | undefined;
}

function Row({ token, onRevoke }: RowProps) {
  const now = useNow(10_000);
  const status = tokenStatus(token, now);
  const used = dateOf(token.lastUsedAt);
  return (
    <li>
      <span>
        <b>{token.name}</b> <code>…{token.suffix}</code> <Badge tone={status.tone}>{status.label}</Badge>
        <div className="muted">
          {token.revokedAt ? (
            <>
              Revoked <Time at={dateOf(token.revokedAt)} precision="minute" />
            </>
          ) : (
            <>
              Expires <Time at={dateOf(token.expiresAt)} precision="minute" absent="never" />
            </>
          )}
          , last used {used ? <Ago at={used} now={now} /> : "never"}
        </div>
      </span>
      {onRevoke && !token.revokedAt && (
        <button type="button" className="button button-small button-danger" aria-label={`Revoke ${token.name}`} onClick={() => onRevoke(token)}>
          Revoke
        </button>
      )}
    </li>
  );
}

function Revoke({ token, onClose }: { token: ServiceAccountToken; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const [requestId] = useState(newRequestId);
  const revoke = useRevokeServiceAccountToken();
  return (
    <ConfirmForm
      title={`Revoke ${token.name}?`}
      about={
        <>
          What uses the token ending in <code>{token.suffix}</code> is refused at once, for ever.
        </>
      }
      verb="Revoke token"
      doing="Revoking…"
      danger
      change={revoke}
      onSubmit={() => revoke.mutate({ id: token.id, reason, mutation: { requestId } }, { onSuccess: onClose })}
      onClose={onClose}
    >
      <label>
        Reason, for the audit trail (optional)
        <input value={reason} maxLength={500} onChange={(event) => setReason(event.target.value)} />
      </label>
    </ConfirmForm>
  );
}
