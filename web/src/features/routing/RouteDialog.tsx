import type { Names } from "../../api/names";
import type { Route } from "../../api/route";
import { Strategy, useCreateRoute, useUpdateRoute } from "../../api/route";
import { useRequestId } from "../../api/transport";
import { Modal } from "../../ui/Overlay";
import type { RouteDraft } from "./RouteForm";
import { RouteForm } from "./RouteForm";

interface RouteDialogProps {
  /** The one to change; absent: a new one. */
  subject?: Route;
  providers: Names;
  onClose: () => void;
}

/** RouteDialog makes a route, or changes one. Its timeouts, retries and projects stay as they are. */
export function RouteDialog({ subject, providers, onClose }: RouteDialogProps) {
  const create = useCreateRoute();
  const update = useUpdateRoute();
  const requestId = useRequestId();
  const submit = (draft: RouteDraft) => {
    const mutation = { requestId: requestId(draft) };
    if (subject) {
      const route = { ...draft, id: subject.id, etag: subject.etag };
      update.mutate({ route, updateMask: { paths }, mutation }, { onSuccess: onClose });
    } else {
      create.mutate({ ...draft, mutation }, { onSuccess: onClose });
    }
  };
  const { isPending, error } = subject ? update : create;
  return (
    <Modal title={subject ? `Change ${subject.name}` : "Create route"} open held={isPending} onClose={onClose}>
      <RouteForm
        begin={subject ? draftOf(subject) : empty}
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

const paths = ["name", "strategy", "targets", "strict"];

const empty: RouteDraft = {
  name: "",
  strategy: Strategy.SINGLE,
  targets: [{ providerId: "", model: "", weight: 1 }],
  strict: false,
};

function draftOf({ name, strategy, targets, strict }: Route): RouteDraft {
  return { name, strategy, targets: targets.map(({ providerId, model, weight }) => ({ providerId, model, weight })), strict };
}
