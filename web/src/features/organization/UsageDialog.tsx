import { useState } from "react";

import { violationsOf } from "../../api/error";
import type { Organization } from "../../api/organization";
import { EndUsers, useOrganization, useUpdateOrganization } from "../../api/organization";
import { newRequestId } from "../../api/transport";
import { FormActions, FormError } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import { Async } from "../../ui/State";
import type { LabelDraft } from "./LabelFields";
import { LabelFields } from "./LabelFields";

/** UsageDialog changes what usage holds of callers' own words. */
export function UsageDialog({ onClose }: { onClose: () => void }) {
  const result = useOrganization();
  return (
    <Modal title="What usage holds of callers" open onClose={onClose}>
      <Async result={result} what="settings" isEmpty={({ organization }) => organization === undefined} empty={null}>
        {({ organization }) => organization && <UsageForm organization={organization} onClose={onClose} />}
      </Async>
    </Modal>
  );
}

interface UsageFormProps {
  organization: Organization;
  onClose: () => void;
}

function UsageForm({ organization: { id, usage, etag: read }, onClose }: UsageFormProps) {
  const [plain, setPlain] = useState(usage?.endUsers === EndUsers.PLAIN);
  const [labels, setLabels] = useState<LabelDraft[]>(() => (usage?.labels ?? []).map(draftOf));
  const [etag] = useState(read);
  const [requestId, setRequestId] = useState(newRequestId);
  const update = useUpdateOrganization();
  const violations = violationsOf(update.error, "organization");
  const change = (make: () => void) => {
    make();
    setRequestId(newRequestId()); // another request may not have the same id
  };
  const submit = () => {
    const settings = { endUsers: plain ? EndUsers.PLAIN : EndUsers.HASHED, labels: labels.map((l) => ({ ...l, maxBytes: Number(l.maxBytes) })) };
    update.mutate({ organization: { id, usage: settings }, updateMask: { paths: ["usage"] }, mutation: { requestId, etag } }, { onSuccess: onClose });
  };
  return (
    <form action={submit} className="form">
      <label>
        End users are named
        <select value={plain ? "plain" : "hashed"} onChange={(event) => change(() => setPlain(event.target.value === "plain"))}>
          <option value="hashed">By a hash, whose key the agents keep</option>
          <option value="plain">As applications name them</option>
        </select>
      </label>
      {plain && (
        <p className="notice notice-warn">
          Names of people who use your applications go to this control plane, where everybody who reads usage sees them, for as long as usage is
          kept. The history says who turned this on.
        </p>
      )}
      <LabelFields
        labels={labels}
        problem={(field) => violations.find((v) => v.field === `usage.${field}`)?.description}
        onChange={(changed) => change(() => setLabels(changed))}
      />
      <FormError error={update.error} />
      <FormActions pending={update.isPending} action="Save settings" working="Saving…" onCancel={onClose} />
    </form>
  );
}

function draftOf({ name, maxBytes, pattern }: { name: string; maxBytes: number; pattern: string }): LabelDraft {
  return { name, maxBytes: String(maxBytes), pattern };
}
