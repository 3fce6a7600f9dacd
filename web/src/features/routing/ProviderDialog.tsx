import { useState } from "react";

import type { Provider } from "../../api/provider";
import { Dialect, dialectName, useCreateProvider, useProvider, useUpdateProvider } from "../../api/provider";
import { useRequestId } from "../../api/transport";
import { FormError } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import { Conflict, isConflict } from "../../ui/Conflict";
import { problemsOf } from "../../api/problems";
import type { ProviderDraft } from "./ProviderForm";
import { ProviderForm } from "./ProviderForm";
import { queueWords } from "./words";

interface ProviderDialogProps {
  /** The one to change; absent: a new one. */
  subject?: Provider;
  /** What a new one begins with. */
  suggested?: Partial<ProviderDraft>;
  onClose: () => void;
}

/** ProviderDialog makes a provider, or changes one. Headers, timeouts and allowed models stay as they are. */
export function ProviderDialog({ subject, suggested, onClose }: ProviderDialogProps) {
  const create = useCreateProvider();
  const update = useUpdateProvider();
  const requestId = useRequestId();
  const [base, setBase] = useState(subject);
  const [draft, setDraft] = useState(() => (subject ? draftOf(subject) : { ...empty, ...suggested }));
  const { isPending, error, reset } = base ? update : create;
  const conflict = isConflict(error);
  const now = useProvider(conflict && base ? base.id : "", true);
  const theirs = conflict && !now.isFetching ? now.data?.provider : undefined;
  const submit = (written: ProviderDraft) => {
    const input = inputOf(written);
    if (!base) {
      create.mutate({ ...input, mutation: { requestId: requestId(written) } }, { onSuccess: onClose });
      return;
    }
    const paths = changedPaths(draftOf(base), written);
    if (paths.length === 0) {
      onClose();
      return;
    }
    const { id, etag } = base;
    update.mutate({ provider: { ...input, id, etag }, updateMask: { paths }, mutation: { requestId: requestId([written, etag]) } }, { onSuccess: onClose });
  };
  const takeUp = (provider: Provider | undefined, begin: (provider: Provider) => ProviderDraft) => {
    if (!provider) return;
    setBase(provider);
    setDraft(begin(provider));
    reset();
  };
  return (
    <Modal title={base ? `Change ${base.name}` : "Create provider"} open held={isPending} onClose={onClose}>
      <ProviderForm
        draft={draft}
        exists={base !== undefined}
        problems={problemsOf(error, "provider")}
        pending={isPending}
        blocked={conflict}
        onChange={(part) => setDraft((d) => ({ ...d, ...part }))}
        onSubmit={submit}
        onCancel={onClose}
      >
        {conflict && base ? (
          <Conflict before={told(base)} theirs={theirs && told(theirs)} onTakeTheirs={() => takeUp(theirs, draftOf)} onKeepMine={() => takeUp(theirs, () => draft)} />
        ) : (
          <FormError error={error} />
        )}
      </ProviderForm>
    </Modal>
  );
}

const empty: ProviderDraft = {
  name: "",
  dialect: Dialect.OPENAI,
  baseUrl: "",
  apiVersion: "",
  credentialRef: "",
  region: "",
  priceList: "",
  queue: undefined,
};

function draftOf({ name, dialect, baseUrl, apiVersion, credentialRef, region, priceList, queue }: Provider): ProviderDraft {
  const waits = queue && { maxRequests: String(queue.maxRequests), maxWait: String(queue.maxWaitMs) };
  return { name, dialect, baseUrl, apiVersion, credentialRef, region, priceList, queue: waits };
}

function inputOf({ queue, ...rest }: ProviderDraft) {
  return { ...rest, ...(queue && { queue: { maxRequests: Number(queue.maxRequests), maxWaitMs: BigInt(Number(queue.maxWait)) } }) };
}

function told(provider: Provider): readonly (readonly [name: string, value: string])[] {
  return [
    ["Name", provider.name],
    ["Dialect", dialectName(provider.dialect)],
    ["Base URL", provider.baseUrl],
    ["API version", provider.apiVersion || "none"],
    ["Credential", provider.credentialRef || "none or sealed"],
    ["Region", provider.region || "not stated"],
    ["Price list", provider.priceList || "unpriced"],
    ["Queue", queueWords(provider.queue)],
  ];
}

const paths: Partial<Record<keyof ProviderDraft, string>> = {
  name: "name",
  baseUrl: "base_url",
  apiVersion: "api_version",
  credentialRef: "credential_ref",
  region: "region",
  priceList: "price_list",
  queue: "queue",
};

// Only what was changed: a sealed credential stays where nobody touched the reference.
function changedPaths(was: ProviderDraft, is: ProviderDraft): string[] {
  return Object.entries(paths).flatMap(([field, path]) => {
    const name = field as keyof ProviderDraft;
    return JSON.stringify(was[name]) === JSON.stringify(is[name]) ? [] : [path];
  });
}
