import type { Provider } from "../../api/provider";
import { Dialect, useCreateProvider, useUpdateProvider } from "../../api/provider";
import { useRequestId } from "../../api/transport";
import { Modal } from "../../ui/Overlay";
import type { ProviderDraft } from "./ProviderForm";
import { ProviderForm } from "./ProviderForm";

interface ProviderDialogProps {
  /** The one to change; absent: a new one. */
  subject?: Provider;
  onClose: () => void;
}

/** ProviderDialog makes a provider, or changes one. Headers, timeouts and allowed models stay as they are. */
export function ProviderDialog({ subject, onClose }: ProviderDialogProps) {
  const create = useCreateProvider();
  const update = useUpdateProvider();
  const requestId = useRequestId();
  const begin = subject ? draftOf(subject) : empty;
  const submit = (draft: ProviderDraft) => {
    const mutation = { requestId: requestId(draft) };
    const paths = changedPaths(begin, draft);
    if (!subject) {
      create.mutate({ ...draft, mutation }, { onSuccess: onClose });
    } else if (paths.length === 0) {
      onClose();
    } else {
      const provider = { ...draft, id: subject.id, etag: subject.etag };
      update.mutate({ provider, updateMask: { paths }, mutation }, { onSuccess: onClose });
    }
  };
  const { isPending, error } = subject ? update : create;
  return (
    <Modal title={subject ? `Change ${subject.name}` : "Create provider"} open held={isPending} onClose={onClose}>
      <ProviderForm
        begin={begin}
        exists={subject !== undefined}
        pending={isPending}
        error={error}
        onSubmit={submit}
        onCancel={onClose}
      />
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
};

function draftOf({ name, dialect, baseUrl, apiVersion, credentialRef, region, priceList }: Provider): ProviderDraft {
  return { name, dialect, baseUrl, apiVersion, credentialRef, region, priceList };
}

const paths: Partial<Record<keyof ProviderDraft, string>> = {
  name: "name",
  baseUrl: "base_url",
  apiVersion: "api_version",
  credentialRef: "credential_ref",
  region: "region",
  priceList: "price_list",
};

// Only what was changed: a sealed credential stays where nobody touched the reference.
function changedPaths(was: ProviderDraft, is: ProviderDraft): string[] {
  return Object.entries(paths).flatMap(([field, path]) => {
    const name = field as keyof ProviderDraft;
    return was[name] === is[name] ? [] : [path];
  });
}
