import type { Actor, Event, ResourceRef } from "../../api/history";
import { shortId } from "../../format/id";

/** kindName is a kind of resource in words: "Service account token". */
export function kindName(kind: string): string {
  const words = kind.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const plainer: Record<string, string> = {
  archived: "deleted",
  restored: "brought back",
  updated: "changed",
};

/** plainWords are an event's kind as people say it: RouteArchived is "route deleted". */
export function plainWords(kind: string): string {
  const words = kind.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
  return words.replace(/[a-z]+$/, (last) => plainer[last] ?? last);
}

/**
 * whatHappened is an event's kind without the resource that it is about: RouteUpdated of a route is
 * "changed", GatewayWentBack of a gateway is "went back".
 */
export function whatHappened({ kind, resource }: Event): string {
  const words = plainWords(kind);
  const thing = resource?.kind.replaceAll("_", " ") ?? "";
  return thing && words.startsWith(`${thing} `) ? words.slice(thing.length + 1) : words;
}

/** LogNames say what ids in the log stand for, as far as that is known. */
export type LogNames = ReadonlyMap<string, string>;

export const noNames: LogNames = new Map();

/** actorName says who asked for a change. */
export function actorName(actor: Actor | undefined, names: LogNames): string {
  if (!actor) return "Somebody";
  const name = actor.id && names.get(actor.id);
  if (name) return actor.kind === "service_account" ? `${name} (service account)` : name;
  switch (actor.kind) {
    case "member":
      return `Member ${shortId(actor.id)}`;
    case "service_account":
      return `Service account ${shortId(actor.id)}`;
    case "enrolment_token":
      return `An agent that joined with token ${shortId(actor.id)}`;
    case "operator":
      return "The installation's operator";
    case "rollout":
      return "The rollout";
    default:
      return kindName(actor.kind);
  }
}

/** resourceName is what a resource is called; members and what has no name show the end of their id. */
export function resourceName(resource: ResourceRef | undefined, names: LogNames): string {
  if (!resource) return "";
  return resource.name || names.get(resource.id) || shortId(resource.id);
}

/** dayName is a day as people say it: Today, Yesterday, Tuesday 2026-11-24. */
export function dayName(day: string, today: string): string {
  const at = (text: string) => Date.parse(`${text}T00:00:00Z`);
  const ago = Math.round((at(today) - at(day)) / 86_400_000);
  if (ago === 0) return "Today";
  if (ago === 1) return "Yesterday";
  const weekday = new Intl.DateTimeFormat("en", { weekday: "long", timeZone: "UTC" }).format(at(day));
  return `${weekday} ${day}`;
}

/** Together are events of one request: a change alone, or a batch or revert. */
export interface Together {
  requestId: string;
  /** Newest first. */
  events: [Event, ...Event[]];
}

/** gather puts events that came of one request together. They follow each other in the log. */
export function gather(events: readonly Event[]): Together[] {
  const origin = ({ requestId, actor, version }: Event) => (requestId ? `${actor?.kind} ${actor?.id} ${requestId}` : String(version));
  return runs(events, origin).map(({ items }) => ({ requestId: items[0].requestId, events: items }));
}

/** What a revert can bring back, by its kind; the rest is authority, which it leaves alone. */
const configuration: ReadonlySet<string> = new Set([
  "organization",
  "project",
  "provider",
  "route",
  "key",
  "gateway",
  "price_override",
  "saved_report",
  "alert_channel",
  "limit",
  "budget",
]);

export function isConfiguration(kind: string): boolean {
  return configuration.has(kind);
}

/** isCreation tells whether something began with an event: then nothing was there before. */
export function isCreation({ fields }: Event): boolean {
  return fields.length > 0 && fields.every(({ before }) => before === undefined) && fields.some(({ path }) => path === "id");
}

/** isEnd tells whether something ended with an event: then nothing is there afterwards. */
export function isEnd({ fields }: Event): boolean {
  return fields.length > 0 && fields.every(({ after }) => after === undefined) && fields.some(({ path }) => path === "id");
}

/** runs are what follows each other with the same key. */
export function runs<T>(items: readonly T[], keyOf: (item: T) => string): { key: string; items: [T, ...T[]] }[] {
  const found: { key: string; items: [T, ...T[]] }[] = [];
  for (const item of items) {
    const last = found.at(-1);
    if (last && last.key === keyOf(item)) last.items.push(item);
    else found.push({ key: keyOf(item), items: [item] });
  }
  return found;
}
