import "../keys/keys.css";

import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useEffect, useRef, useState } from "react";

import type { CreateServiceAccountTokenResponse, ServiceAccount } from "../../api/serviceAccount";
import { useCreateServiceAccountToken } from "../../api/serviceAccount";
import { useRequestId } from "../../api/transport";
import { FormActions, FormError, NameField } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import { Copyable } from "../keys/Copyable";
import { useHold } from "../keys/useHold";

const dayMs = 86_400_000;

/** CreateTokenDialog makes a token, then shows its secret: the only time it can be seen. */
export function CreateTokenDialog({ subject, onClose }: { subject: ServiceAccount; onClose: () => void }) {
  const requestId = useRequestId();
  const [name, setName] = useState("");
  const [days, setDays] = useState(90);
  const create = useCreateServiceAccountToken();
  const made = create.data;
  const held = create.isPending || (made !== undefined && !made.secretAlreadyShown);
  useHold(held, "The new token can't be shown again. Leave without having copied it?");
  const submit = () => {
    const expiresAt = days > 0 ? timestampFromDate(new Date(Date.now() + days * dayMs)) : undefined;
    create.mutate({ serviceAccountId: subject.id, name, ...(expiresAt && { expiresAt }), mutation: { requestId: requestId({ name, days }) } });
  };
  return (
    <Modal title={made ? "Token created" : `Create a token of ${subject.name}`} open held={held} onClose={onClose}>
      {made ? (
        <NewToken made={made} onClose={onClose} />
      ) : (
        <form action={submit} className="form">
          <NameField placeholder="ci-2026" value={name} onChange={setName} />
          <label>
            Expires
            <select value={days} onChange={(event) => setDays(Number(event.target.value))}>
              <option value={30}>In 30 days</option>
              <option value={90}>In 90 days</option>
              <option value={365}>In 365 days</option>
              <option value={0}>Never</option>
            </select>
          </label>
          <FormError error={create.error} />
          <FormActions pending={create.isPending} action="Create token" working="Creating…" onCancel={onClose} />
        </form>
      )}
    </Modal>
  );
}

function NewToken({ made: { secret, secretAlreadyShown }, onClose }: { made: CreateServiceAccountTokenResponse; onClose: () => void }) {
  const self = useRef<HTMLDivElement>(null);
  // The button that had the focus went with the form.
  useEffect(() => self.current?.focus(), []);
  return (
    <div ref={self} tabIndex={-1} className="form new-key">
      <p className="notice notice-warn">
        <span>
          {secretAlreadyShown ? (
            <b>The token exists, but its secret was sent before and is gone. Revoke it and create another.</b>
          ) : (
            <>
              <b>Copy it now.</b> Only a fingerprint is kept; nobody can show this token again.
            </>
          )}
        </span>
      </p>
      {!secretAlreadyShown && (
        <>
          <Copyable title="Token" text={secret} what="token" />
          <Copyable
            title="First call"
            text={`curl "${window.location.origin}/weir.admin.v1.SessionService/WhoAmI" \\\n  -H "Authorization: Bearer ${secret}" \\\n  -H "Content-Type: application/json" -d '{}'`}
            what="curl command"
          />
        </>
      )}
      <div className="form-actions">
        <button type="button" className="button button-primary" onClick={onClose}>
          {secretAlreadyShown ? "Close" : "I have copied the token"}
        </button>
      </div>
    </div>
  );
}
