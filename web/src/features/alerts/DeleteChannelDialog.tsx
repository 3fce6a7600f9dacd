import { useState } from "react";

import type { AlertChannel } from "../../api/alertChannel";
import { useDeleteAlertChannel } from "../../api/alertChannel";
import { newRequestId } from "../../api/transport";
import { FormError } from "../../ui/Form";
import { Confirm } from "../../ui/Overlay";

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
    <Confirm
      title={`Delete ${channel.name}?`}
      about="Nothing is sent to it any more, messages that are on their way are given up, and its secret is destroyed."
      open
      onClose={onClose}
    >
      <form action={submit} className="form">
        <FormError error={remove.error} />
        <div className="form-actions">
          <button type="button" className="button" disabled={remove.isPending} onClick={onClose}>
            Keep channel
          </button>
          <button type="submit" className="button button-danger-solid" disabled={remove.isPending}>
            {remove.isPending ? "Deleting…" : "Delete channel"}
          </button>
        </div>
      </form>
    </Confirm>
  );
}
