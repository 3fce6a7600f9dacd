import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { toJson } from "@bufbuild/protobuf";
import type { Value } from "@bufbuild/protobuf/wkt";
import { timestampDate, timestampFromDate, ValueSchema } from "@bufbuild/protobuf/wkt";
import { useInfiniteQuery, useMutation, useQuery } from "@connectrpc/connect-query";
import { keepPreviousData, useQuery as usePlainQuery, useQueryClient } from "@tanstack/react-query";

import type { Event, ResourceRef } from "../gen/weir/admin/v1/history_pb";
import { ChangeAction, HistoryService } from "../gen/weir/admin/v1/history_pb";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { Actor, Event, FieldChange, ResourceChange, ResourceRef, RevertResponse, SkippedResource } from "../gen/weir/admin/v1/history_pb";
export { ChangeAction };

const { listEvents, getEvent, diff, revert } = HistoryService.method;

export const mayListEvents = permissionOf(listEvents);
export const mayGetEvent = permissionOf(getEvent);
export const mayDiff = permissionOf(diff);
export const mayRevert = permissionOf(revert);
export const mayExportEvents = permissionOf(HistoryService.method.exportEvents);
export const mayWatchEvents = permissionOf(HistoryService.method.watchEvents);

/** EventFilter takes the events that fit all of what it says; what is absent holds nothing back. */
export interface EventFilter {
  resourceId?: string | undefined;
  /** RouteUpdated, …: one of them. */
  kinds?: readonly string[] | undefined;
  /** "member:" and an id, "operator", …. */
  actor?: string | undefined;
  requestId?: string | undefined;
  /** Recorded at or after. */
  from?: Date | undefined;
  /** Recorded before. */
  before?: Date | undefined;
}

function matchOf({ resourceId = "", kinds = [], actor = "", requestId = "", from, before }: EventFilter) {
  return {
    resourceId,
    kinds: [...kinds],
    actor,
    requestId,
    ...(from && { fromTime: timestampFromDate(from) }),
    ...(before && { beforeTime: timestampFromDate(before) }),
  };
}

/** fits tells whether a filter takes an event, as the server would. */
export function fits(event: Event, { resourceId, kinds, actor, requestId, from, before }: EventFilter): boolean {
  const at = event.recordedAt && timestampDate(event.recordedAt);
  return (
    (!resourceId || event.resource?.id === resourceId) &&
    (!kinds || kinds.length === 0 || kinds.includes(event.kind)) &&
    (!actor || actorText(event) === actor) &&
    (!requestId || event.requestId === requestId) &&
    (!from || (at !== undefined && at >= from)) &&
    (!before || (at !== undefined && at < before))
  );
}

/** actorText is an event's actor as filters write it: "member:" and an id; "operator". */
export function actorText({ actor }: Event): string {
  if (!actor) return "";
  return actor.id ? `${actor.kind}:${actor.id}` : actor.kind;
}

// Enough for a screen or two; events can be large.
const eventsPage = 50;

/** useEvents are the events that a filter takes, newest first. */
export function useEvents(filter: EventFilter) {
  return useInfiniteQuery(
    listEvents,
    { page: { size: eventsPage, token: "" }, match: matchOf(filter) },
    {
      pageParamKey: "page",
      getNextPageParam: (last) => (last.nextPageToken ? { size: eventsPage, token: last.nextPageToken } : undefined),
      placeholderData: keepPreviousData,
    },
  );
}

/** useEventsOf lists what happened to one resource, the newest first; kinds are as the log has them: BudgetRaised. */
export function useEventsOf(resourceId: string, kinds: readonly string[]) {
  return useInfiniteQuery(
    listEvents,
    { match: matchOf({ resourceId, kinds }), page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage },
  );
}

/** useEvent is the event of one version; 0 asks for none. */
export function useEvent(version: bigint) {
  return useQuery(getEvent, { version }, { enabled: version > 0n, staleTime: Infinity });
}

/**
 * useVersionAt is the newest event that was recorded at or before a time, of all where there is none:
 * none in the answer means that the organization was not there yet.
 */
export function useVersionAt(time: Date | undefined, enabled: boolean) {
  const before = time && { beforeTime: { seconds: BigInt(Math.floor(time.getTime() / 1_000)), nanos: (time.getTime() % 1_000) * 1_000_000 + 1 } };
  return useQuery(listEvents, { page: { size: 1, token: "" }, match: { ...before } }, { enabled, staleTime: time ? 5_000 : 0 });
}

/** useDiff is how everything differs between two versions of the log, which never changes. */
export function useDiff(from: bigint, to: bigint, enabled: boolean) {
  const asOf = (value: bigint) => ({ point: { case: "version" as const, value } });
  return useInfiniteQuery(
    diff,
    { from: asOf(from), to: asOf(to), page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage, enabled, staleTime: Infinity },
  );
}

/** RevertTarget is everything, or one resource, as it was at a version. */
export interface RevertTarget {
  version: bigint;
  /** Absent: everything. */
  resource?: ResourceRef;
}

function targetOf({ version, resource }: RevertTarget) {
  if (!resource) return { case: "toVersion" as const, value: version };
  return { case: "resource" as const, value: { kind: resource.kind, id: resource.id, version } };
}

/** useReverted is what a revert would change, and leave; it changes nothing. */
export function useReverted(target: RevertTarget) {
  return useQuery(
    revert,
    { target: targetOf(target), mutation: { validateOnly: true } },
    { retry: false, staleTime: 0, gcTime: 0, refetchOnWindowFocus: false },
  );
}

/** useRevert goes back, held to what a preview said by its etag. Afterwards everything is asked for again. */
export function useRevert() {
  const queryClient = useQueryClient();
  const { mutate, ...rest } = useMutation(revert, {
    onSuccess: () => queryClient.invalidateQueries({ predicate: ({ queryKey }) => !isPreview(queryKey) }),
  });
  const submit = (target: RevertTarget, etag: string, requestId: string, done: () => void) =>
    mutate({ target: targetOf(target), mutation: { requestId, etag } }, { onSuccess: done });
  return { ...rest, submit };
}

// The preview stands on an older version by then.
function isPreview([, about]: readonly unknown[]): boolean {
  return (about as { methodName?: string } | undefined)?.methodName === revert.name;
}

const exportPath = "/weir/history/export";

/** exportAddress is that of the events that a filter takes, as a file of JSON lines. */
export function exportAddress(filter: EventFilter): string {
  const query = new URLSearchParams();
  if (filter.resourceId) query.set("resource_id", filter.resourceId);
  for (const kind of filter.kinds ?? []) query.append("kinds", kind);
  if (filter.actor) query.set("actor", filter.actor);
  if (filter.requestId) query.set("request_id", filter.requestId);
  if (filter.from) query.set("from_time", filter.from.toISOString());
  if (filter.before) query.set("before_time", filter.before.toISOString());
  const text = query.toString();
  return text ? `${exportPath}?${text}` : exportPath;
}

/** No log gets this long. */
const lastVersion = 9_223_372_036_854_775_807n;

/**
 * useAuditAnchor is the newest link of the audit chain, "VERSION:HASH", as an export without events names it;
 * "" where the installation keeps no chain.
 */
export function useAuditAnchor() {
  return usePlainQuery({
    queryKey: ["audit anchor"],
    queryFn: async ({ signal }) => {
      const answer = await fetch(`${exportPath}?first_version=${lastVersion}`, { signal });
      if (!answer.ok) throw new Error(`the control plane answered ${answer.status}`);
      return answer.headers.get("X-Weir-Audit-Anchor") ?? "";
    },
    staleTime: 0,
  });
}

/** jsonOf is a field's value; undefined: it had none. */
export function jsonOf(value: Value | undefined): JsonValue | undefined {
  return value && toJson(ValueSchema, value);
}

/** bodyOf is what was recorded. */
export function bodyOf(event: Event): JsonObject {
  return event.body ?? {};
}
