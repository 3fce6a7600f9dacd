import { plainWords } from "./words";

/** Happening is one kind of event, as the log calls it and as people do. */
interface Happening {
  /** RouteUpdated. */
  kind: string;
  /** "Route changed". */
  label: string;
}

export interface HappeningGroup {
  /** What they are about: "Routes". */
  label: string;
  /** What all kinds of the group begin with: "Route". */
  thing: string;
  happenings: readonly Happening[];
}

// What the log knows (docs/api.md names none: they are the events of proto/weir/event/v1).
const groups: readonly (readonly [thing: string, label: string, ...rest: string[]])[] = [
  ["Organization", "Organization", "Archived", "Created", "Resumed", "Suspended", "Updated"],
  ["Project", "Projects", "Archived", "Created", "Restored", "Updated"],
  ["Provider", "Providers", "Archived", "Created", "Restored", "Updated"],
  ["Route", "Routes", "Archived", "Created", "Restored", "Updated"],
  ["Key", "Keys", "Archived", "Created", "OverlapEnded", "Revoked", "Rotated", "Updated"],
  ["Gateway", "Gateways", "Archived", "Created", "KeySet", "Restored", "RolloutSet", "Updated", "WentBack", "WentForward"],
  ["Agent", "Agents", "Enrolled", "Renamed", "Revoked"],
  ["EnrolmentToken", "Enrolment tokens", "Created", "Revoked"],
  ["Rollout", "Rollouts", "Abandoned", "Advanced", "Finished", "Held", "Restarted", "Resumed", "Started"],
  ["Limit", "Limits", "Archived", "Created", "LeasesReleased", "Restored", "Updated"],
  ["Budget", "Budgets", "Archived", "Created", "LeaseWrittenOff", "LeasesReleased", "Raised", "Restored", "Updated"],
  ["PriceOverride", "Price overrides", "Archived", "Created", "Restored", "Updated"],
  ["Rerate", "Re-rates", "Started"],
  ["SavedReport", "Saved reports", "Archived", "Created", "Restored", "Updated"],
  ["AlertChannel", "Alert channels", "Archived", "Created", "Restored", "SecretSet", "Updated"],
  ["Member", "Members", "Added", "Erased", "Invited", "Joined", "Removed", "RoleChanged", "SessionsRevoked"],
  ["JoinDomain", "Join domains", "Added", "Changed", "Removed"],
  ["RoleBinding", "Roles on projects", "Archived", "Created"],
  ["ServiceAccountToken", "Service account tokens", "Created", "Revoked"],
  ["ServiceAccount", "Service accounts", "Archived", "Created", "Updated"],
];

/** happeningGroups are all kinds of events, by what they are about. */
export const happeningGroups: readonly HappeningGroup[] = groups.map(([thing, label, ...rest]) => ({
  label,
  thing,
  happenings: rest.map((what) => ({ kind: `${thing}${what}`, label: sentence(`${thing}${what}`) })),
}));

/** kindsOf reads what a filter says: one kind, or "Route*" for all about routes. "" is all there are. */
export function kindsOf(said: string): string[] {
  if (!said) return [];
  const group = happeningGroups.find(({ thing }) => said === `${thing}*`);
  return group ? group.happenings.map(({ kind }) => kind) : [said];
}

function sentence(kind: string): string {
  const words = plainWords(kind);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
