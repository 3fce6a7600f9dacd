import type { Names } from "../../api/names";
import type { Route } from "../../api/route";
import { useCreateRoute, useUpdateRoute } from "../../api/route";
import { useRequestId } from "../../api/transport";
import { Modal } from "../../ui/Overlay";
import type { RouteDraft } from "./draft";
import { draftOf, emptyDraft, inputOf, paths } from "./draft";
import { RouteForm } from "./RouteForm";

interface RouteDialogProps {
  /** The one to change; absent: a new one. */
  subject?: Route;
  /** What a new one begins with. */
  suggested?: Partial<RouteDraft>;
  providers: Names;
  onClose: () => void;
}

/** RouteDialog makes a route, or changes one. The projects that it is for stay as they are. */
export function RouteDialog({ subject, suggested, providers, onClose }: RouteDialogProps) {
  const create = useCreateRoute();
  const update = useUpdateRoute();
  const requestId = useRequestId();
  const submit = (draft: RouteDraft) => {
    const mutation = { requestId: requestId(draft) };
    const input = inputOf(draft);
    if (subject) {
      const route = { ...input, id: subject.id, etag: subject.etag };
      update.mutate({ route, updateMask: { paths }, mutation }, { onSuccess: onClose });
    } else {
      create.mutate({ ...input, mutation }, { onSuccess: onClose });
    }
  };
  const { isPending, error } = subject ? update : create;
  return (
    <Modal title={subject ? `Change ${subject.name}` : "Create route"} open held={isPending} onClose={onClose}>
      <RouteForm
        begin={subject ? draftOf(subject) : { ...emptyDraft, ...suggested }}
        exists={subject !== undefined}
        providers={providers}
        pending={isPending}
        error={error}
        onSubmit={submit}
        onCancel={onClose}
      />
    </Modal>
  );
}
