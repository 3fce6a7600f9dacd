import type { EventFilter } from "../../api/history";
import type { HistorySearch } from "../../routes/search";
import { kindsOf } from "./happenings";

/** filterOf reads the URL's filter. */
export function filterOf({ resource, kind = "", actor, request, from, until }: HistorySearch): EventFilter {
  return {
    resourceId: resource,
    kinds: kindsOf(kind),
    actor,
    requestId: request,
    from: from ? new Date(from) : undefined,
    before: until ? new Date(until) : undefined,
  };
}

/** isFiltered tells whether something is held back. */
export function isFiltered({ resource, kind, actor, request, from, until }: HistorySearch): boolean {
  return [resource, kind, actor, request, from, until].some((one) => one !== undefined);
}
