import { useInfiniteQuery } from "@connectrpc/connect-query";

import { HistoryService } from "../gen/weir/admin/v1/history_pb";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { Event } from "../gen/weir/admin/v1/history_pb";

export const mayListEvents = permissionOf(HistoryService.method.listEvents);

/** useEventsOf lists what happened to one resource, the newest first; kinds are as the log has them: BudgetRaised. */
export function useEventsOf(resourceId: string, kinds: string[]) {
  return useInfiniteQuery(
    HistoryService.method.listEvents,
    { match: { resourceId, kinds }, page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage },
  );
}
