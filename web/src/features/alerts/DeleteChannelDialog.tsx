import { useState } from "react";

import type { AlertChannel } from "../../api/alertChannel";
import { useDeleteAlertChannel } from "../../api/alertChannel";
import { newRequestId } from "../../api/transport";
import { ConfirmForm } from "../../ui/ConfirmForm";

interface DeleteChannelDialogProps {
  channel: AlertChannel;
  onClose: () => void;
}

/** DeleteChannelDialog asks once more, and says who is told no longer. */
export function DeleteChannelDialog({ channel, onClose }: DeleteChannelDialogProps) {
  const [requestId] = useState(newRequestId);
  const remove = useDeleteAlertChannel();
  const submit = () => remove.mutate({ id: channel.id, mutation: { requestId, etag: channel.etag } }, { onSuccess: onClose });
  return (
    <ConfirmForm
      title={`Delete ${channel.name}?`}
      about="Nothing is sent to it any more, messages that are on their way are given up, and its secret is destroyed."
      verb="Delete channel"
      doing="Deleting…"
      keep="Keep channel"
      danger
      change={remove}
      onSubmit={submit}
      onClose={onClose}
    />
  );
}
