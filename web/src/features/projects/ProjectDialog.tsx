import type { Project } from "../../api/project";
import { projectOf, useCreateProject, useProject, useUpdateProject } from "../../api/project";
import { useRequestId } from "../../api/transport";
import { NameField, TextField } from "../../ui/Form";
import { isConflict } from "../../ui/Conflict";
import { useDraft } from "../../ui/useDraft";
import { problemsOf } from "../../api/problems";
import { QuotaForm } from "../budgets/QuotaForm";
import { emptyProject, paths, projectDraftOf, projectInputOf, projectTold } from "./draft";

interface ProjectDialogProps {
  /** The one to change; absent: a new one. */
  subject?: Project;
  onClose: () => void;
  /** After onClose, with its id. */
  onSaved?: (id: string) => void;
}

/** ProjectDialog makes a project, or changes one. */
export function ProjectDialog({ subject, onClose, onSaved }: ProjectDialogProps) {
  const { base, draft, change, rebase } = useDraft(subject, projectDraftOf, emptyProject);
  const create = useCreateProject();
  const update = useUpdateProject();
  const requestId = useRequestId();
  const { isPending, error, reset } = base ? update : create;
  const conflict = isConflict(error);
  const now = useProject(conflict && base ? base.id : "", true);
  const theirs = conflict && now.isFetchedAfterMount ? now.data?.project : undefined;
  const submit = () => {
    const input = projectInputOf(draft);
    if (!base) {
      const done = (id: string | undefined) => {
        onClose();
        if (id) onSaved?.(id);
      };
      create.mutate({ ...input, mutation: { requestId: requestId(draft) } }, { onSuccess: ({ project }) => done(project?.id) });
      return;
    }
    const { id, etag } = base;
    update.mutate({ project: { ...input, id, etag }, updateMask: { paths }, mutation: { requestId: requestId([draft, etag]) } }, { onSuccess: onClose });
  };
  const problems = problemsOf(error, "project");
  return (
    <QuotaForm
      what="project"
      base={base}
      told={projectTold}
      conflict={conflict}
      theirs={theirs}
      mine={conflict ? projectOf(projectInputOf(draft)) : undefined}
      pending={isPending}
      error={error}
      onSubmit={submit}
      onDecide={(theirs, decision) => {
        rebase(theirs, decision);
        reset();
      }}
      onClose={onClose}
    >
      <NameField placeholder="search" problem={problems("name")} value={draft.name} onChange={(name) => change({ name })} />
      <TextField
        label="Shown as (optional)"
        maxLength={200}
        placeholder="Search team"
        hint="How the console calls it. Empty: its name."
        problem={problems("display_name")}
        value={draft.displayName}
        onChange={(displayName) => change({ displayName })}
      />
      <TextField
        label="Weight (optional)"
        type="number"
        min={1}
        max={100}
        placeholder="1"
        hint="1 to 100: its part, beside other projects, of a provider's account that has little left."
        problem={problems("weight")}
        value={draft.weight}
        onChange={(weight) => change({ weight })}
      />
    </QuotaForm>
  );
}
