import { useState } from "react";

import type { AlertChannel } from "../../api/alertChannel";
import { newSecret, useCreateAlertChannel, useUpdateAlertChannel } from "../../api/alertChannel";
import { useRequestId } from "../../api/transport";
import { FormActions, FormError, NameField, TextField } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import { problemsOf } from "../../api/problems";
import { useHold } from "../keys/useHold";
import { NewSecret } from "./NewSecret";
import { toldKinds } from "./words";

interface ChannelDialogProps {
  /** The one to change; absent: a new one. */
  subject?: AlertChannel;
  onClose: () => void;
}

/** ChannelDialog makes a channel and shows its secret once, or changes one. */
export function ChannelDialog({ subject, onClose }: ChannelDialogProps) {
  const [name, setName] = useState(subject?.name ?? "");
  const [url, setUrl] = useState(subject?.url ?? "");
  const [kinds, setKinds] = useState(subject?.kinds ?? []);
  const [secret] = useState(newSecret);
  const create = useCreateAlertChannel();
  const update = useUpdateAlertChannel();
  const requestId = useRequestId();
  const { isPending, error } = subject ? update : create;
  const made = create.data !== undefined;
  const held = isPending || made;
  useHold(held, "The secret can't be shown again. Leave without having copied it?");
  const problems = problemsOf(error, "alert_channel");
  const submit = () => {
    const mutation = { requestId: requestId([name, url, kinds]) };
    if (!subject) {
      create.mutate({ name, url, kinds, secret, mutation });
      return;
    }
    const { id, etag } = subject;
    update.mutate({ alertChannel: { id, name, url, kinds, etag }, updateMask: { paths: ["name", "url", "kinds"] }, mutation }, { onSuccess: onClose });
  };
  if (made) {
    return (
      <Modal title="Channel created" open held onClose={onClose}>
        <NewSecret secret={secret} onClose={onClose} />
      </Modal>
    );
  }
  return (
    <Modal title={subject ? `Change ${subject.name}` : "Create channel"} open held={held} onClose={onClose}>
      <form action={submit} className="form">
        <NameField placeholder="on-call" problem={problems("name")} value={name} onChange={setName} />
        <TextField
          label="URL of the webhook"
          type="url"
          required
          maxLength={2000}
          placeholder="https://hooks.example.com/weir"
          hint="https, without a query: it is no secret, the history keeps it. Messages are signed as Standard Webhooks says."
          problem={problems("url")}
          value={url}
          onChange={setUrl}
        />
        <fieldset>
          <legend>Told of</legend>
          <p className="muted">Besides the budgets that name it.</p>
          <div className="choices">
            {toldKinds.map(([kind, label]) => (
              <label key={kind} className="choice">
                <input
                  type="checkbox"
                  checked={kinds.includes(kind)}
                  onChange={() => setKinds(kinds.includes(kind) ? kinds.filter((k) => k !== kind) : [...kinds, kind])}
                />
                {label}
              </label>
            ))}
          </div>
        </fieldset>
        <FormError error={error} />
        <FormActions
          pending={isPending}
          action={subject ? "Save channel" : "Create channel"}
          working={subject ? "Saving…" : "Creating…"}
          onCancel={onClose}
        />
      </form>
    </Modal>
  );
}
