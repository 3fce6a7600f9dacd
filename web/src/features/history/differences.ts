import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

import type { FieldChange } from "../../api/history";
import { jsonOf } from "../../api/history";

/** Difference is one value, before and after; undefined: there was, or is, none. */
export interface Difference {
  path: string;
  before: JsonValue | undefined;
  after: JsonValue | undefined;
}

/** differencesOf says of each field only what differs inside it: targets[0].model rather than all targets. */
export function differencesOf(fields: readonly FieldChange[]): Difference[] {
  return fields.flatMap(({ path, before, after }) => inside(path, jsonOf(before), jsonOf(after)));
}

function inside(path: string, before: JsonValue | undefined, after: JsonValue | undefined): Difference[] {
  if (before === undefined && after !== undefined) return leavesOf(after, path).map((leaf) => ({ path: leaf.path, before, after: leaf.value }));
  if (after === undefined && before !== undefined) return leavesOf(before, path).map((leaf) => ({ path: leaf.path, before: leaf.value, after }));
  if (Array.isArray(before) && Array.isArray(after) && [...before, ...after].every(isObject)) {
    return Array.from({ length: Math.max(before.length, after.length) }, (_, i) => inside(`${path}[${i}]`, before[i], after[i])).flat();
  }
  if (isObject(before) && isObject(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) => inside(`${path}.${name}`, before[name], after[name]));
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }];
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Leaf is one value of a resource by its path. */
export interface Leaf {
  path: string;
  value: JsonValue;
}

/** leavesOf takes a resource apart: timeouts.idle, targets[0].model; a list of plain values is one. */
export function leavesOf(value: JsonValue, path = ""): Leaf[] {
  if (isObject(value)) return Object.entries(value).flatMap(([name, v]) => leavesOf(v, path ? `${path}.${name}` : name));
  if (Array.isArray(value) && value.some(isObject)) return value.flatMap((v, i) => leavesOf(v, `${path}[${i}]`));
  return [{ path, value }];
}
