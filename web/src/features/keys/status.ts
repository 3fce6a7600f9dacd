import type { Key } from "../../api/key";
import { dateOf } from "../../api/time";
import type { Tone } from "../../ui/Badge";

export interface KeyStatus {
  label: "Active" | "Expired" | "Revoked";
  tone: Tone;
}

/** keyStatus tells whether agents accept a key at this moment. */
export function keyStatus(key: Key, now: Date): KeyStatus {
  if (key.revokedAt) return { label: "Revoked", tone: "bad" };
  const expires = dateOf(key.expiresAt);
  if (expires && expires <= now) return { label: "Expired", tone: "warn" };
  return { label: "Active", tone: "good" };
}
