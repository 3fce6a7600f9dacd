import type { Provider } from "../../api/provider";
import { Dialect, dialectName, providerOf, useCreateProvider, useProvider, useUpdateProvider } from "../../api/provider";
import { useRequestId } from "../../api/transport";
import { FormError } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import type { Decision, Told } from "../../ui/Conflict";
import { Conflict, isConflict } from "../../ui/Conflict";
import { useDraft } from "../../ui/useDraft";
import { problemsOf } from "../../api/problems";
import type { ProviderDraft } from "./ProviderForm";
import { ProviderForm } from "./ProviderForm";
import { noTimeouts, timeoutsDraftOf, timeoutsInput } from "./draft";
import { modelsOf } from "./sent";
import { queueWords, saidTimeouts } from "./words";

interface ProviderDialogProps {
  /** The one to change; absent: a new one. */
  subject?: Provider;
  /** What a new one begins with. */
  suggested?: Partial<ProviderDraft>;
  onClose: () => void;
}

/** ProviderDialog makes a provider, or changes one. */
export function ProviderDialog({ subject, suggested, onClose }: ProviderDialogProps) {
  const create = useCreateProvider();
  const update = useUpdateProvider();
  const requestId = useRequestId();
  const { base, draft, change, rebase } = useDraft(subject, draftOf, { ...empty, ...suggested });
  const { isPending, error, reset } = base ? update : create;
  const conflict = isConflict(error);
  const now = useProvider(conflict && base ? base.id : "", true);
  const theirs = conflict && now.isFetchedAfterMount ? now.data?.provider : undefined;
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
  const decide = (decision: Decision<ProviderDraft>) => {
    if (theirs) rebase(theirs, decision);
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
        onChange={change}
        onSubmit={submit}
        onCancel={onClose}
      >
        {conflict && base ? (
          <Conflict before={told(base)} mine={told(providerOf(inputOf(draft)))} theirs={theirs && told(theirs)} onDecide={decide} />
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
  headers: [],
  timeouts: noTimeouts,
  models: "",
};

function draftOf({ name, dialect, baseUrl, apiVersion, credentialRef, region, priceList, queue, headers, timeouts, allowedModels }: Provider): ProviderDraft {
  return {
    name,
    dialect,
    baseUrl,
    apiVersion,
    credentialRef,
    region,
    priceList,
    queue: queue && { maxRequests: String(queue.maxRequests), maxWait: String(queue.maxWaitMs) },
    headers: namesOf(headers).map((name) => ({ name, value: headers[name] ?? "" })),
    timeouts: timeoutsDraftOf(timeouts),
    models: allowedModels.join("\n"),
  };
}

// A map has no order of its own: in that of the names two drafts of the same are the same.
function namesOf(headers: Provider["headers"]): string[] {
  return Object.keys(headers).sort();
}

function inputOf({ queue, headers, timeouts, models, ...rest }: ProviderDraft) {
  return {
    ...rest,
    ...(queue && { queue: { maxRequests: Number(queue.maxRequests), maxWaitMs: BigInt(Math.trunc(Number(queue.maxWait))) } }),
    headers: Object.fromEntries(headers.map(({ name, value }) => [name, value])),
    ...timeoutsInput(timeouts),
    allowedModels: modelsOf(models),
  };
}

function told(provider: Provider): Told<ProviderDraft> {
  return [
    ["Name", provider.name, "name"],
    ["Dialect", dialectName(provider.dialect), "dialect"],
    ["Base URL", provider.baseUrl, "baseUrl"],
    ["API version", provider.apiVersion || "none", "apiVersion"],
    ["Credential", provider.credentialRef || "none or sealed", "credentialRef"],
    ["Region", provider.region || "not stated", "region"],
    ["Price list", provider.priceList || "unpriced", "priceList"],
    ["Queue", queueWords(provider.queue), "queue"],
    ["Headers", namesOf(provider.headers).map((name) => `${name}: ${provider.headers[name]}`).join("; ") || "none", "headers"],
    ["Timeouts", saidTimeouts(provider.timeouts), "timeouts"],
    ["Allowed models", provider.allowedModels.join(", ") || "all", "models"],
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
  headers: "headers",
  timeouts: "timeouts",
  models: "allowed_models",
};

// Only what was changed: a sealed credential stays where nobody touched the reference.
function changedPaths(was: ProviderDraft, is: ProviderDraft): string[] {
  return Object.entries(paths).flatMap(([field, path]) => {
    const name = field as keyof ProviderDraft;
    return JSON.stringify(was[name]) === JSON.stringify(is[name]) ? [] : [path];
  });
}
