import { useState } from "react";

import { useCreateServiceAccount } from "../../api/serviceAccount";
import { Role } from "../../api/session";
import { useRequestId } from "../../api/transport";
import { FormActions, FormError, NameField } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import { useViewer } from "../session/permission";
import { rolesUpTo } from "./role";
import { RoleSelect } from "./RoleSelect";

interface CreateAccountDialogProps {
  onClose: () => void;
  /** After onClose. */
  onCreated: (id: string) => void;
}

/** CreateAccountDialog makes a service account; its tokens come afterwards. */
export function CreateAccountDialog({ onClose, onCreated }: CreateAccountDialogProps) {
  const own = useViewer()?.role ?? Role.UNSPECIFIED;
  const requestId = useRequestId();
  const [name, setName] = useState("");
  const [role, setRole] = useState(Role.VIEWER);
  const create = useCreateServiceAccount();
  const submit = () =>
    create.mutate(
      { name, role, mutation: { requestId: requestId({ name, role }) } },
      {
        onSuccess: ({ serviceAccount }) => {
          onClose();
          if (serviceAccount) onCreated(serviceAccount.id);
        },
      },
    );
  return (
    <Modal title="Create service account" open held={create.isPending} onClose={onClose}>
      <form action={submit} className="form">
        <NameField placeholder="deploy-pipeline" value={name} onChange={setName} />
        <RoleSelect label="Role in the organization" roles={rolesUpTo(own)} value={role} onChange={setRole} />
        <FormError error={create.error} />
        <FormActions pending={create.isPending} action="Create service account" working="Creating…" onCancel={onClose} />
      </form>
    </Modal>
  );
}
