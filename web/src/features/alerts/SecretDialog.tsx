import { useState } from "react";

import type { AlertChannel } from "../../api/alertChannel";
import { newSecret, useSetAlertChannelSecret } from "../../api/alertChannel";
import { newRequestId } from "../../api/transport";
import { FormError } from "../../ui/Form";
import { Confirm, Modal } from "../../ui/Overlay";
import { useHold } from "../keys/useHold";
import { NewSecret } from "./NewSecret";

interface SecretDialogProps {
  channel: AlertChannel;
  onClose: () => void;
}

/** SecretDialog puts another secret in the place of a channel's, and shows it once. */
export function SecretDialog({ channel, onClose }: SecretDialogProps) {
  const [secret] = useState(newSecret);
  const [requestId] = useState(newRequestId);
  const set = useSetAlertChannelSecret();
  const made = set.data !== undefined;
  useHold(set.isPending || made, "The secret can't be shown again. Leave without having copied it?");
  if (made) {
    return (
      <Modal title={`New secret of ${channel.name}`} open held onClose={onClose}>
        <NewSecret secret={secret} onClose={onClose} />
      </Modal>
    );
  }
  return (
    <Confirm
      title={`Give ${channel.name} a new secret?`}
      about="The one before ends at once: until the receiver has the new one, it refuses messages. Those are sent again for a day."
      open
      onClose={onClose}
    >
      <form action={() => set.mutate({ id: channel.id, secret, mutation: { requestId } })} className="form">
        <FormError error={set.error} />
        <div className="form-actions">
          <button type="button" className="button" disabled={set.isPending} onClick={onClose}>
            Keep secret
          </button>
          <button type="submit" className="button button-danger-solid" disabled={set.isPending}>
            {set.isPending ? "Setting…" : "Set new secret"}
          </button>
        </div>
      </form>
    </Confirm>
  );
}
