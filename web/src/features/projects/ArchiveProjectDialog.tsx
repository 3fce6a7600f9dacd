import { Link } from "@tanstack/react-router";

import type { Project } from "../../api/project";
import { useDeleteProject } from "../../api/project";
import { useRequestId } from "../../api/transport";
import { FormError } from "../../ui/Form";
import { Confirm } from "../../ui/Overlay";

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
  const { mutate, isPending, error } = useDeleteProject();
  const { id, etag, name } = subject;
  const submit = () => mutate({ id, mutation: { requestId: requestId(etag), etag } }, { onSuccess: onArchived });
  return (
    <Confirm
      title={`Archive ${name}?`}
      about="It goes from all lists, and roles on it end. Its revoked keys, what it spent and its history stay; its name is free, and History can bring it back."
      open
      onClose={onClose}
    >
      <form action={submit} className="form">
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
        <FormError error={error} />
        <div className="form-actions">
          <button type="button" className="button" disabled={isPending} onClick={onClose}>
            Keep project
          </button>
          <button type="submit" className="button button-danger-solid" disabled={isPending || living > 0}>
            {isPending ? "Archiving…" : "Archive project"}
          </button>
        </div>
      </form>
    </Confirm>
  );
}
