import type { Key } from "../../api/key";
import { dateOf } from "../../api/time";
import { formatUntil } from "../../format/duration";
import { Time } from "../../ui/Value";

interface OldSecretProps {
  subject: Key;
  now: Date;
}

/** oldSecretEnds is when the secret before the last rotation stops; undefined: there is none any more. */
export function oldSecretEnds({ previousExpiresAt, previousEndedAt, revokedAt }: Key, now: Date): Date | undefined {
  const ends = dateOf(previousExpiresAt);
  return ends && !revokedAt && !previousEndedAt && ends > now ? ends : undefined;
}

/** OldSecret says until when the secret before the last rotation works, and how long that is; nothing where there was none. */
export function OldSecret({ subject, now }: OldSecretProps) {
  const ends = oldSecretEnds(subject, now);
  const ended = dateOf(subject.previousExpiresAt);
  if (ends) {
    return (
      <>
        <code>…{subject.previousSuffix}</code> works until <Time at={ends} /> <span className="nowrap">({formatUntil(ends, now)})</span>
      </>
    );
  }
  return (
    <>
      <code>…{subject.previousSuffix}</code> ended <Time at={earlier(ended, dateOf(subject.revokedAt))} />
    </>
  );
}

function earlier(a: Date | undefined, b: Date | undefined): Date | undefined {
  return a && b && b < a ? b : a;
}
