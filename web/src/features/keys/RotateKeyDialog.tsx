import { useState } from "react";

import type { Key } from "../../api/key";
import { useRotateKey } from "../../api/key";
import type { Names } from "../../api/names";
import { dateOf, durationOf } from "../../api/time";
import { useRequestId } from "../../api/transport";
import { FormActions, FormError, SelectField } from "../../ui/Form";
import { Modal } from "../../ui/Overlay";
import { useNow } from "../../ui/useNow";
import { Time } from "../../ui/Value";
import { routeToTry } from "./CreateKeyDialog";
import { NewKey } from "./NewKey";
import { OldSecret, oldSecretEnds } from "./OldSecret";
import { useHold } from "./useHold";

interface RotateKeyDialogProps {
  subject: Key;
  routes: Names;
  onClose: () => void;
}

const hour = 3_600;
const day = 24 * hour;

const overlaps: readonly [seconds: number, label: string][] = [
  [0, "It ends at once"],
  [hour, "1 hour"],
  [day, "24 hours"],
  [7 * day, "7 days"],
  [30 * day, "30 days"],
  [90 * day, "90 days"],
];

/** RotateKeyDialog gives a key a new secret, shows it once, and says until when the old one works. */
export function RotateKeyDialog({ subject, routes, onClose }: RotateKeyDialogProps) {
  const [overlap, setOverlap] = useState(day);
  const requestId = useRequestId();
  const rotate = useRotateKey();
  const now = useNow(1_000);
  const { id, etag } = subject;
  // Held to the key as it is shown: whose rotation comes second would end the first one's old secret.
  const submit = () => rotate.mutate({ id, overlap: durationOf(overlap), mutation: { requestId: requestId([overlap, etag]), etag } });
  const made = rotate.data;
  const held = rotate.isPending || (made !== undefined && !made.secretAlreadyShown);
  useHold(held, "The new secret can't be shown again. Leave without having copied it?");
  return (
    <Modal title={made ? "Key rotated" : `Rotate ${subject.name}`} open held={held} onClose={onClose}>
      {made ? (
        <NewKey made={made} route={routeToTry(made.key?.routeIds ?? [], routes)} lost="Rotate it once more." onClose={onClose}>
          {made.key && (
            <p role="status">
              The old secret <OldSecret subject={made.key} now={now} />.
            </p>
          )}
        </NewKey>
      ) : (
        <form action={submit} className="form">
          <p>
            The key gets a new secret, shown once. What it may do, its budgets and limits stay. Give the new secret to your applications while the old one,
            ending in <code>{subject.suffix}</code>, still works.
          </p>
          <SelectField label="The old secret keeps working for" hint={<EndOf overlap={overlap} now={now} />} options={overlaps} value={overlap} onChange={setOverlap} />
          {oldSecretEnds(subject, now) && <EarlierOne subject={subject} />}
          <FormError error={rotate.error} />
          <FormActions pending={rotate.isPending} action="Rotate key" working="Rotating…" onCancel={onClose} />
        </form>
      )}
    </Modal>
  );
}

function EndOf({ overlap, now }: { overlap: number; now: Date }) {
  if (overlap === 0) return <>Applications that still use it are refused within a second.</>;
  return (
    <>
      Until <Time at={new Date(now.getTime() + overlap * 1_000)} precision="minute" />. Then applications that still use it are refused.
    </>
  );
}

function EarlierOne({ subject }: { subject: Key }) {
  return (
    <p className="notice notice-warn">
      <span>
        <b>
          The secret before, ending in <code>{subject.previousSuffix}</code>, ends at once
        </b>{" "}
        instead of at <Time at={dateOf(subject.previousExpiresAt)} precision="minute" />: a key has two secrets at most.
      </span>
    </p>
  );
}
