import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useCreateKey } from "../../api/key";
import type { Project } from "../../api/project";
import type { Route } from "../../api/route";
import { useRequestId } from "../../api/transport";
import { Modal } from "../../ui/Overlay";
import type { KeyDraft } from "./KeyForm";
import { KeyForm } from "./KeyForm";
import { NewKey } from "./NewKey";
import { useHold } from "./useHold";

interface CreateKeyDialogProps {
  projects: readonly Project[];
  routes: readonly Route[];
  onClose: () => void;
}

/** CreateKeyDialog makes a key, then shows its secret: the only time it can be seen. */
export function CreateKeyDialog({ projects, routes, onClose }: CreateKeyDialogProps) {
  const requestId = useRequestId();
  const create = useCreateKey();
  const submit = (draft: KeyDraft) =>
    create.mutate({ ...toRequest(draft), mutation: { requestId: requestId(draft) } });
  const made = create.data;
  // From the moment the key may exist until its secret is in safe hands.
  const held = create.isPending || (made !== undefined && !made.secretAlreadyShown);
  useHold(held, "The new key can't be shown again. Leave without having copied it?");
  const first = routes.find((r) => made?.key?.routeIds.includes(r.id)) ?? routes[0];
  return (
    <Modal title={made ? "Key created" : "Create key"} open held={held} onClose={onClose}>
      {made ? (
        <NewKey made={made} route={first?.name ?? "your-route"} onClose={onClose} />
      ) : (
        <KeyForm
          projects={projects}
          routes={routes}
          pending={create.isPending}
          error={create.error}
          onSubmit={submit}
          onCancel={onClose}
        />
      )}
    </Modal>
  );
}

const dayMs = 86_400_000;

function toRequest({ name, projectId, routeIds, days }: KeyDraft) {
  const expiresAt = days > 0 ? timestampFromDate(new Date(Date.now() + days * dayMs)) : undefined;
  return { name, projectId, routeIds, ...(expiresAt && { expiresAt }) };
}
