import { mayDryRun } from "../../api/diagnostics";
import type { Names } from "../../api/names";
import type { Route } from "../../api/route";
import { mayListProjects, useProjectNames } from "../../api/project";
import { routeOf, useCreateRoute, useRoute, useRouteCheck, useUpdateRoute } from "../../api/route";
import { useRequestId } from "../../api/transport";
import type { Decision } from "../../ui/Conflict";
import { Conflict, isConflict } from "../../ui/Conflict";
import { FormError } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import { useDraft } from "../../ui/useDraft";
import { settleMs, useSettled } from "../../ui/useSettled";
import { useMay } from "../session/permission";
import type { RouteDraft } from "./draft";
import { alike, completeInput, draftOf, emptyDraft, forNobody, inputOf, paths } from "./draft";
import { RouteForm } from "./RouteForm";
import { RoutePreview } from "./RoutePreview";
import { routeTold } from "./words";

interface RouteDialogProps {
  /** The one to change; absent: a new one. */
  subject?: Route;
  /** What a new one begins with. */
  suggested?: Partial<RouteDraft>;
  providers: Names;
  onClose: () => void;
}

/** RouteDialog makes a route, or changes one. */
export function RouteDialog({ subject, suggested, providers, onClose }: RouteDialogProps) {
  const create = useCreateRoute();
  const update = useUpdateRoute();
  const requestId = useRequestId();
  const may = useMay();
  const projects = useProjectNames(may(mayListProjects));
  const { base, draft, change, rebase } = useDraft(subject, draftOf, { ...emptyDraft, ...suggested });
  const { isPending, error, reset } = base ? update : create;
  const conflict = isConflict(error);
  const now = useRoute(conflict && base ? base.id : "", true);
  const theirs = conflict && now.isFetchedAfterMount ? now.data?.route : undefined;
  const asked = useSettled(completeInput(draft), settleMs, alike);
  const unchanged = base !== undefined && alike(asked, inputOf(draftOf(base)));
  const refused = useRouteCheck(base?.id ?? "", unchanged ? undefined : asked, paths);
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
    <Modal title={base ? `Change ${base.name}` : "Create route"} wide open held={isPending} onClose={onClose}>
      <RouteForm
        draft={draft}
        exists={base !== undefined}
        providers={providers}
        projects={projects}
        pending={isPending}
        blocked={conflict || forNobody(draft)}
        error={error ?? refused}
        onChange={change}
        onSubmit={submit}
        onCancel={onClose}
      >
        {conflict && base ? (
          <Conflict
            before={routeTold(base, providers, projects)}
            mine={routeTold(routeOf(inputOf(draft)), providers, projects)}
            theirs={theirs && routeTold(theirs, providers, projects)}
            onDecide={decide}
          />
        ) : (
          <FormError error={error} />
        )}
      </RouteForm>
      {may(mayDryRun) && <RoutePreview input={asked} id={base?.id ?? ""} refused={refused} />}
    </Modal>
  );
}
