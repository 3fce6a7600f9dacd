import { useState } from "react";

import type { AlertChannel } from "../../api/alertChannel";
import { newSecret, useAlertChannel, useCreateAlertChannel, useUpdateAlertChannel } from "../../api/alertChannel";
import { useRequestId } from "../../api/transport";
import type { Decision, Told } from "../../ui/Conflict";
import { Conflict, isConflict } from "../../ui/Conflict";
import { FormActions, FormError, NameField, TextField } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import { useDraft } from "../../ui/useDraft";
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
  const { base, draft, change, rebase } = useDraft(subject, draftOf, noChannel);
  const { name, url, kinds } = draft;
  const [secret] = useState(newSecret);
  const create = useCreateAlertChannel();
  const update = useUpdateAlertChannel();
  const requestId = useRequestId();
  const { isPending, error, reset } = base ? update : create;
  const conflict = isConflict(error);
  const now = useAlertChannel(conflict && base ? base.id : "");
  const theirs = conflict && now.isFetchedAfterMount ? now.data?.alertChannel : undefined;
  const made = create.data !== undefined;
  const held = isPending || made;
  useHold(held, "The secret can't be shown again. Leave without having copied it?");
  const problems = problemsOf(error, "alert_channel");
  const submit = () => {
    if (!base) {
      create.mutate({ ...draft, secret, mutation: { requestId: requestId(draft) } });
      return;
    }
    const { id, etag } = base;
    const mutation = { requestId: requestId([draft, etag]) };
    update.mutate({ alertChannel: { ...draft, id, etag }, updateMask: { paths: ["name", "url", "kinds"] }, mutation }, { onSuccess: onClose });
  };
  const decide = (decision: Decision<ChannelDraft>) => {
    if (theirs) rebase(theirs, decision);
    reset();
  };
  if (made) {
    return (
      <Modal title="Channel created" open held onClose={onClose}>
        <NewSecret secret={secret} onClose={onClose} />
      </Modal>
    );
  }
  return (
    <Modal title={base ? `Change ${base.name}` : "Create channel"} open held={held} onClose={onClose}>
      <form action={submit} className="form">
        <NameField placeholder="on-call" problem={problems("name")} value={name} onChange={(name) => change({ name })} />
        <TextField
          label="URL of the webhook"
          type="url"
          required
          maxLength={2000}
          placeholder="https://hooks.example.com/weir"
          hint="https, without a query: it is no secret, the history keeps it. Messages are signed as Standard Webhooks says."
          problem={problems("url")}
          value={url}
          onChange={(url) => change({ url })}
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
                  onChange={() => change({ kinds: kinds.includes(kind) ? kinds.filter((k) => k !== kind) : [...kinds, kind] })}
                />
                {label}
              </label>
            ))}
          </div>
        </fieldset>
        {conflict && base ? (
          <Conflict before={told(base)} mine={told(draft)} theirs={theirs && told(theirs)} onDecide={decide} />
        ) : (
          <FormError error={error} />
        )}
        <FormActions
          pending={isPending}
          blocked={conflict}
          action={base ? "Save channel" : "Create channel"}
          working={base ? "Saving…" : "Creating…"}
          onCancel={onClose}
        />
      </form>
    </Modal>
  );
}

type ChannelDraft = Pick<AlertChannel, "name" | "url" | "kinds">;

const noChannel: ChannelDraft = { name: "", url: "", kinds: [] };

function draftOf({ name, url, kinds }: AlertChannel): ChannelDraft {
  return { name, url, kinds: [...kinds] };
}

function told({ name, url, kinds }: ChannelDraft): Told<ChannelDraft> {
  const chosen = toldKinds.filter(([kind]) => kinds.includes(kind)).map(([, label]) => label);
  return [
    ["Name", name, "name"],
    ["URL of the webhook", url, "url"],
    ["Told of", chosen.join(", ") || "nothing besides budgets", "kinds"],
  ];
}
