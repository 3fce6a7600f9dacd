import { useState } from "react";

import type { JoinDomain } from "../../api/member";
import { mayRemoveJoinDomain, maySetJoinDomain, useJoinDomains, useRemoveJoinDomain, useSetJoinDomain } from "../../api/member";
import { Role, roleName } from "../../api/session";
import { newRequestId, useRequestId } from "../../api/transport";
import { ConfirmForm } from "../../ui/ConfirmForm";
import { FormActions, FormError, TextField } from "../../ui/Form";
import { LoadMore } from "../../ui/LoadMore";
import { Modal } from "../../ui/Overlay";
import { Panel } from "../../ui/Page";
import { Async } from "../../ui/State";
import { useMay } from "../session/permission";
import { RoleSelect } from "./RoleSelect";

/** JoinDomains are the mail domains whose people come in without an invitation. */
export function JoinDomains() {
  const may = useMay();
  const result = useJoinDomains(true);
  const domains = result.data?.pages.flatMap((page) => page.joinDomains) ?? [];
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<JoinDomain>();
  return (
    <Panel
      title="Who comes in without an invitation"
      aside={
        may(maySetJoinDomain) && (
          <button type="button" className="button button-small" onClick={() => setAdding(true)}>
            Let a domain in
          </button>
        )
      }
    >
      <div className="panel-body">
        <Async result={result} what="domains" isEmpty={() => domains.length === 0} empty={<p className="muted">Nobody: each person is invited.</p>}>
          {() => (
            <ul className="people-list" aria-label="Domains">
              {domains.map((one) => (
                <li key={one.id}>
                  <span>
                    Everybody at <b>{one.domain}</b> joins as {roleName(one.role).toLowerCase()}
                  </span>
                  {may(mayRemoveJoinDomain) && (
                    <button type="button" className="button button-small" aria-label={`Let ${one.domain} in no more`} onClick={() => setRemoving(one)}>
                      End
                    </button>
                  )}
                </li>
              ))}
            </ul>
          )}
        </Async>
      </div>
      <LoadMore query={result} />
      {adding && <AddDialog onClose={() => setAdding(false)} />}
      {removing && <RemoveDialog subject={removing} onClose={() => setRemoving(undefined)} />}
    </Panel>
  );
}

function AddDialog({ onClose }: { onClose: () => void }) {
  const requestId = useRequestId();
  const [domain, setDomain] = useState("");
  const [role, setRole] = useState(Role.VIEWER);
  const set = useSetJoinDomain();
  const submit = () => set.mutate({ domain: domain.trim(), role, mutation: { requestId: requestId({ domain, role }) } }, { onSuccess: onClose });
  return (
    <Modal title="Let a domain in" open held={set.isPending} onClose={onClose}>
      <form action={submit} className="form">
        <TextField
          label="Domain"
          required
          maxLength={253}
          placeholder="acme.example"
          hint="What stands behind the @ of your own address. Whoever has an address there joins at their first login: don't name a mail provider."
          value={domain}
          onChange={setDomain}
        />
        <RoleSelect label="They join as" roles={[Role.ANALYST, Role.VIEWER]} value={role} onChange={setRole} />
        <FormError error={set.error} />
        <FormActions pending={set.isPending} action="Let them in" working="Saving…" onCancel={onClose} />
      </form>
    </Modal>
  );
}

function RemoveDialog({ subject, onClose }: { subject: JoinDomain; onClose: () => void }) {
  const [requestId] = useState(newRequestId);
  const remove = useRemoveJoinDomain();
  return (
    <ConfirmForm
      title={`Let ${subject.domain} in no more?`}
      about="Who joined by it stays. Others need an invitation from now on."
      verb="End"
      doing="Ending…"
      change={remove}
      onSubmit={() => remove.mutate({ id: subject.id, mutation: { requestId, etag: subject.etag } }, { onSuccess: onClose })}
      onClose={onClose}
    />
  );
}
