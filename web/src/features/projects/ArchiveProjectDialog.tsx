import { Link } from "@tanstack/react-router";

import type { Project } from "../../api/project";
import { useDeleteProject } from "../../api/project";
import { useRequestId } from "../../api/transport";
import { ConfirmForm } from "../../ui/ConfirmForm";

interface ArchiveProjectDialogProps {
  subject: Project;
  /** How many keys of it are not revoked; undefined: not known. */
  living: number | undefined;
  onClose: () => void;
  onArchived: () => void;
}

/** ArchiveProjectDialog asks once more, and says what goes and what stays. */
export function ArchiveProjectDialog({ subject, living = 0, onClose, onArchived }: ArchiveProjectDialogProps) {
  const requestId = useRequestId();
  const archive = useDeleteProject();
  const { id, etag, name } = subject;
  const submit = () => archive.mutate({ id, mutation: { requestId: requestId(etag), etag } }, { onSuccess: onArchived });
  return (
    <ConfirmForm
      title={`Archive ${name}?`}
      about="It goes from all lists, and roles on it end. Its revoked keys, what it spent and its history stay; its name is free, and History can bring it back."
      verb="Archive project"
      doing="Archiving…"
      keep="Keep project"
      danger
      blocked={living > 0}
      change={archive}
      onSubmit={submit}
      onClose={onClose}
    >
      {living > 0 ? (
        <p className="notice notice-warn">
          <span>
            <b>{living === 1 ? "One of its keys still works" : `${living} of its keys still work`}.</b> Applications that use{" "}
            {living === 1 ? "it" : "them"} would be left without a project:{" "}
            <Link to="/keys" search={{ project: id }}>
              revoke {living === 1 ? "it" : "them"}
            </Link>{" "}
            first.
          </span>
        </p>
      ) : (
        <p className="muted">A project that a route, a budget or a limit is still for can&apos;t be archived.</p>
      )}
    </ConfirmForm>
  );
}
