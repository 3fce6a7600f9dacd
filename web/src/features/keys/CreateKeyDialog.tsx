import { useState } from "react";

import { mayCreateKey, useCreateKey } from "../../api/key";
import type { Names } from "../../api/names";
import { useRequestId } from "../../api/transport";
import { FormActions, FormError } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import { problemsOf } from "../../api/problems";
import { useMay } from "../session/permission";
import { emptyKey, keyInputOf, labelTwice } from "./draft";
import { KeyFields } from "./KeyFields";
import { NewKey } from "./NewKey";
import { useHold } from "./useHold";

interface CreateKeyDialogProps {
  /** The one that is chosen from the start; absent: the first. */
  projectId?: string | undefined;
  projects: Names;
  routes: Names;
  onClose: () => void;
}

/** CreateKeyDialog makes a key, then shows its secret: the only time it can be seen. */
export function CreateKeyDialog({ projectId = "", projects, routes, onClose }: CreateKeyDialogProps) {
  const may = useMay();
  const requestId = useRequestId();
  const create = useCreateKey();
  const [draft, setDraft] = useState(() => emptyKey(projectId));
  // The list of projects may come after the form.
  const first = [...(projects?.keys() ?? [])].find((id) => may(mayCreateKey, id)) ?? "";
  const full = { ...draft, projectId: draft.projectId || first };
  const submit = () => {
    const input = keyInputOf(full, new Date());
    if (input) create.mutate({ ...input, projectId: full.projectId, mutation: { requestId: requestId(full) } });
  };
  const made = create.data;
  // From the moment the key may exist until its secret is in safe hands.
  const held = create.isPending || (made !== undefined && !made.secretAlreadyShown);
  useHold(held, "The new key can't be shown again. Leave without having copied it?");
  return (
    <Modal title={made ? "Key created" : "Create key"} open held={held} onClose={onClose}>
      {made ? (
        <NewKey made={made} route={routeToTry(made.key?.routeIds ?? [], routes)} lost="Revoke it and create another." onClose={onClose} />
      ) : (
        <form action={submit} className="form">
          <KeyFields draft={full} projects={projects} routes={routes} problems={problemsOf(create.error, "key")} onChange={(part) => setDraft((d) => ({ ...d, ...part }))} />
          <FormError error={create.error} />
          <FormActions
            pending={create.isPending}
            blocked={keyInputOf(full, new Date()) === undefined || labelTwice(draft.labels) !== undefined}
            action="Create key"
            working="Creating…"
            onCancel={onClose}
          />
        </form>
      )}
    </Modal>
  );
}

/** routeToTry is a route that a key may use, for a command to paste. */
export function routeToTry(routeIds: readonly string[], routes: Names): string {
  const allowed = routeIds.length > 0 ? routeIds.find((id) => routes?.has(id)) : routes?.keys().next().value;
  return (allowed !== undefined && routes?.get(allowed)) || "your-route";
}
