import type { Names } from "../../api/names";
import type { Route } from "../../api/route";
import { routeOf, useCreateRoute, useRoute, useUpdateRoute } from "../../api/route";
import { useRequestId } from "../../api/transport";
import type { Decision } from "../../ui/Conflict";
import { Conflict, isConflict } from "../../ui/Conflict";
import { FormError } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import { useDraft } from "../../ui/useDraft";
import type { RouteDraft } from "./draft";
import { draftOf, emptyDraft, inputOf, paths } from "./draft";
import { RouteForm } from "./RouteForm";
import { routeTold } from "./words";

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
  const { base, draft, change, rebase } = useDraft(subject, draftOf, { ...emptyDraft, ...suggested });
  const { isPending, error, reset } = base ? update : create;
  const conflict = isConflict(error);
  const now = useRoute(conflict && base ? base.id : "", true);
  const theirs = conflict && !now.isFetching ? now.data?.route : undefined;
  const submit = () => {
    const input = inputOf(draft);
    if (!base) {
      create.mutate({ ...input, mutation: { requestId: requestId(draft) } }, { onSuccess: onClose });
      return;
    }
    const { id, etag } = base;
    update.mutate({ route: { ...input, id, etag }, updateMask: { paths }, mutation: { requestId: requestId([draft, etag]) } }, { onSuccess: onClose });
  };
  const decide = (decision: Decision<RouteDraft>) => {
    if (theirs) rebase(theirs, decision);
    reset();
  };
  return (
    <Modal title={base ? `Change ${base.name}` : "Create route"} open held={isPending} onClose={onClose}>
      <RouteForm
        draft={draft}
        exists={base !== undefined}
        providers={providers}
        pending={isPending}
        blocked={conflict}
        error={error}
        onChange={change}
        onSubmit={submit}
        onCancel={onClose}
      >
        {conflict && base ? (
          <Conflict
            before={routeTold(base, providers)}
            mine={routeTold(routeOf(inputOf(draft)), providers)}
            theirs={theirs && routeTold(theirs, providers)}
            onDecide={decide}
          />
        ) : (
          <FormError error={error} />
        )}
      </RouteForm>
    </Modal>
  );
}
