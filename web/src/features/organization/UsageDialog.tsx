import { isStale, violationsOf } from "../../api/error";
import type { Organization } from "../../api/organization";
import { EndUsers, useOrganization, useUpdateOrganization } from "../../api/organization";
import { useRequestId } from "../../api/transport";
import type { Decision, Told } from "../../ui/Conflict";
import { Conflict } from "../../ui/Conflict";
import { FormActions, FormError } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import { Async } from "../../ui/State";
import { useDraft } from "../../ui/useDraft";
import type { LabelDraft } from "./LabelFields";
import { LabelFields } from "./LabelFields";

/** UsageDialog changes what usage holds of callers' own words. */
export function UsageDialog({ onClose }: { onClose: () => void }) {
  const result = useOrganization();
  return (
    <Modal title="What usage holds of callers" open onClose={onClose}>
      <Async result={result} what="settings" isEmpty={({ organization }) => organization === undefined} empty={null}>
        {({ organization }) => organization && <UsageForm organization={organization} onStale={() => void result.refetch()} onClose={onClose} />}
      </Async>
    </Modal>
  );
}

interface UsageFormProps {
  /** As it was read last. */
  organization: Organization;
  /** Asks that it be read again. */
  onStale: () => void;
  onClose: () => void;
}

interface Draft {
  plain: boolean;
  labels: LabelDraft[];
}

function UsageForm({ organization, onStale, onClose }: UsageFormProps) {
  const { base = organization, draft, change, rebase } = useDraft(organization, draftOf, draftOf(organization));
  const { plain, labels } = draft;
  const requestId = useRequestId();
  const { mutate, isPending, error, reset } = useUpdateOrganization();
  const violations = violationsOf(error, "organization");
  const conflict = isStale(error);
  const theirs = organization.etag === base.etag ? undefined : organization;
  const submit = () => {
    const { id, etag } = base;
    const usage = { endUsers: plain ? EndUsers.PLAIN : EndUsers.HASHED, labels: labels.map((l) => ({ ...l, maxBytes: Number(l.maxBytes) })) };
    const mutation = { requestId: requestId([draft, etag]), etag };
    mutate({ organization: { id, usage }, updateMask: { paths: ["usage"] }, mutation }, { onSuccess: onClose, onError: (error) => isStale(error) && onStale() });
  };
  const decide = (decision: Decision<Draft>) => {
    if (theirs) rebase(theirs, decision);
    reset();
  };
  return (
    <form action={submit} className="form">
      <label>
        End users are named
        <select value={plain ? "plain" : "hashed"} onChange={(event) => change({ plain: event.target.value === "plain" })}>
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
        onChange={(labels) => change({ labels })}
      />
      {conflict ? (
        <Conflict before={told(draftOf(base))} mine={told(draft)} theirs={theirs && told(draftOf(theirs))} onDecide={decide} />
      ) : (
        <FormError error={error} />
      )}
      <FormActions pending={isPending} blocked={conflict} action="Save settings" working="Saving…" onCancel={onClose} />
    </form>
  );
}

function draftOf({ usage }: Organization): Draft {
  const labels = (usage?.labels ?? []).map(({ name, maxBytes, pattern }) => ({ name, maxBytes: String(maxBytes), pattern }));
  return { plain: usage?.endUsers === EndUsers.PLAIN, labels };
}

function told({ plain, labels }: Draft): Told<Draft> {
  const words = labels.map(({ name, maxBytes, pattern }) => `${name} (${[`${maxBytes} bytes`, pattern].filter(Boolean).join(", ")})`);
  return [
    ["End users are named", plain ? "as applications name them" : "by a hash", "plain"],
    ["Labels", words.join("; ") || "none", "labels"],
  ];
}
