import { timestampFromDate } from "@bufbuild/protobuf/wkt";

import type { Key, KeyInput } from "../../api/key";
import { Priority } from "../../api/key";
import { dateOf } from "../../api/time";
import { formatTime, fromLocalInput, toLocalInput, viewerZone } from "../../format/time";
import type { Told } from "../../ui/Conflict";
import { priorityName } from "./priority";

export interface LabelDraft {
  name: string;
  value: string;
}

/** When a key expires: never, so many days from now, or at a time that is written. */
export const expiries = ["never", "1", "30", "90", "365", "at"] as const;
export type Expiry = (typeof expiries)[number];

export interface KeyDraft {
  name: string;
  projectId: string;
  /** It may use every route, also later ones; what is chosen below has no meaning then. */
  everyRoute: boolean;
  routeIds: string[];
  expires: Expiry;
  /** By the viewer's clock, as a field for times has it. */
  expiresAt: string;
  labels: LabelDraft[];
  weight: string;
  priority: Priority;
}

/** emptyKey is of a new key. */
export function emptyKey(projectId: string): KeyDraft {
  return {
    name: "",
    projectId,
    everyRoute: true,
    routeIds: [],
    expires: "never",
    expiresAt: "",
    labels: [],
    weight: "",
    priority: Priority.NORMAL,
  };
}

/** keyDraftOf is a key as its form begins with it. */
export function keyDraftOf(key: Key): KeyDraft {
  const expires = dateOf(key.expiresAt);
  return {
    name: key.name,
    projectId: key.projectId,
    everyRoute: key.routeIds.length === 0,
    routeIds: [...key.routeIds],
    expires: expires ? "at" : "never",
    expiresAt: expires ? toLocalInput(expires, viewerZone(), "second") : "",
    labels: Object.entries(key.labels).map(([name, value]) => ({ name, value })),
    weight: key.weight > 1 ? String(key.weight) : "",
    priority: key.priority === Priority.UNSPECIFIED ? Priority.NORMAL : key.priority,
  };
}

const dayMs = 86_400_000;

/** keyInputOf is what a draft asks for, said now; undefined: nothing that can be asked for. */
export function keyInputOf(draft: KeyDraft, now: Date): KeyInput | undefined {
  const { name, everyRoute, routeIds, labels, weight, priority } = draft;
  if (!everyRoute && routeIds.length === 0) return undefined;
  const at = expiryOf(draft, now);
  if (draft.expires === "at" && !at) return undefined;
  return {
    name,
    routeIds: everyRoute ? [] : routeIds,
    ...(at && { expiresAt: timestampFromDate(at) }),
    labels: Object.fromEntries(labels.map((label) => [label.name, label.value])),
    weight: Number(weight),
    priority,
  };
}

function expiryOf({ expires, expiresAt }: KeyDraft, now: Date): Date | undefined {
  if (expires === "never") return undefined;
  if (expires === "at") return fromLocalInput(expiresAt);
  return new Date(now.getTime() + Number(expires) * dayMs);
}

/** changedPaths are the fields of a key that a draft changes: what nobody touched stays as exact as it was. */
export function changedPaths(was: KeyDraft, is: KeyDraft): string[] {
  const fields: readonly [path: string, of: (draft: KeyDraft) => unknown][] = [
    ["name", (d) => d.name],
    ["route_ids", (d) => (d.everyRoute ? [] : [...d.routeIds].sort())],
    ["expires_at", (d) => [d.expires, d.expires === "at" && d.expiresAt]],
    ["labels", (d) => d.labels],
    ["weight", (d) => Number(d.weight) || 1],
    ["priority", (d) => d.priority],
  ];
  return fields.flatMap(([path, of]) => (JSON.stringify(of(was)) === JSON.stringify(of(is)) ? [] : [path]));
}

/** labelTwice is the name of a label that is written more than once; undefined: none is. */
export function labelTwice(labels: readonly LabelDraft[]): string | undefined {
  return labels.find(({ name }, i) => name !== "" && labels.findIndex((other) => other.name === name) !== i)?.name;
}

/** labelWords write labels as name=value. */
export function labelWords(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
}

/** keyTold is what people chose of a key, in words, to be compared. */
export function keyTold(key: Key, routes: (key: Key) => string): Told<KeyDraft> {
  const expires = dateOf(key.expiresAt);
  return [
    ["Name", key.name, "name"],
    ["Routes", routes(key), "everyRoute", "routeIds"],
    ["Expires", expires ? formatTime(expires, viewerZone()) : "never", "expires", "expiresAt"],
    ["Labels", labelWords(key.labels) || "none", "labels"],
    ["Weight", String(key.weight || 1), "weight"],
    ["Priority", priorityName(key.priority), "priority"],
  ];
}
