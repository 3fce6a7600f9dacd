import { useState } from "react";

import type { AlertChannel } from "../../api/alertChannel";
import { newSecret, useSetAlertChannelSecret } from "../../api/alertChannel";
import { newRequestId } from "../../api/transport";
import { ConfirmForm } from "../../ui/ConfirmForm";
import { Modal } from "../../ui/Overlay";
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
    <ConfirmForm
      title={`Give ${channel.name} a new secret?`}
      about="The one before ends at once: until the receiver has the new one, it refuses messages. Those are sent again for a day."
      verb="Set new secret"
      doing="Setting…"
      keep="Keep secret"
      danger
      change={set}
      onSubmit={() => set.mutate({ id: channel.id, secret, mutation: { requestId } })}
      onClose={onClose}
    />
  );
}
