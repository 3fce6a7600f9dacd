import type { Member } from "../../api/member";
import { MemberState } from "../../api/member";
import type { ServiceAccountToken } from "../../api/serviceAccount";
import { dateOf } from "../../api/time";
import { shortId } from "../../format/id";
import type { Tone } from "../../ui/Badge";

export interface Status {
  label: string;
  tone: Tone;
}

/** memberName is what a person is called: by name, else address, else the id's end. */
export function memberName({ name, email, id }: Member): string {
  return name || email || `Member ${shortId(id)}`;
}

/** memberStatus tells whether a person may log in at this moment. */
export function memberStatus({ state, invitationExpiresAt }: Member, now: Date): Status {
  switch (state) {
    case MemberState.ACTIVE:
      return { label: "Active", tone: "good" };
    case MemberState.INVITED: {
      const expires = dateOf(invitationExpiresAt);
      return expires && expires <= now ? { label: "Invitation expired", tone: "warn" } : { label: "Invited", tone: "plain" };
    }
    case MemberState.REMOVED:
      return { label: "Removed", tone: "bad" };
    case MemberState.ERASED:
      return { label: "Erased", tone: "bad" };
    default:
      return { label: "Not stated", tone: "plain" };
  }
}

/** tokenStatus tells whether the API takes a token at this moment. */
export function tokenStatus({ revokedAt, expiresAt }: ServiceAccountToken, now: Date): Status {
  if (revokedAt) return { label: "Revoked", tone: "bad" };
  const expires = dateOf(expiresAt);
  if (expires && expires <= now) return { label: "Expired", tone: "warn" };
  return { label: "Active", tone: "good" };
}
