import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useInfiniteQuery, useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";

import { Interval, Measure, ReportService } from "../gen/weir/admin/v1/report_pb";
import { permissionOf } from "./permission";

export { Interval, Measure };
export type {
  GetOverviewResponse,
  GetRequestResponse,
  MetricSeries,
  Point,
  QueryMetricsResponse,
  Request,
  RequestAttempt,
  RequestCandidate,
  Totals,
} from "../gen/weir/admin/v1/report_pb";

export const mayReadReports = permissionOf(ReportService.method.getOverview);
export const mayRunQueries = permissionOf(ReportService.method.runQuery);

export interface OverviewInput {
  from: Date;
  /** Absent: now, whenever that is. */
  to?: Date | undefined;
  interval: Interval;
  timeZone: string;
}

const twoDays = 2 * 86_400_000;

// How what goes on until now is asked again, while the tab is seen: a long period is dear to ask, and looks the same after a minute.
function live({ from, to }: Pick<OverviewInput, "from" | "to">): { refetchInterval?: number } {
  if (to) return {};
  return { refetchInterval: Date.now() - from.getTime() > twoDays ? 60_000 : 20_000 };
}

/** useOverview is all of a period in one, with copies for shadows, of which there are no measures. */
export function useOverview({ from, to, interval, timeZone }: OverviewInput) {
  return useQuery(
    ReportService.method.getOverview,
    { from: timestampFromDate(from), ...(to && { to: timestampFromDate(to) }), interval, timeZone },
    { ...live({ from, to }), placeholderData: keepPreviousData },
  );
}

export interface MetricsInput extends OverviewInput {
  /** The first ranks the groups. */
  measures: readonly Measure[];
  /** Absent: all as one. */
  groupBy?: string;
  /** Beside the period before. */
  compared?: boolean;
  /** Which requests, as filters are written. Absent: all. */
  filter?: string;
  /** How many groups stand alone, at most 50. Absent: 10. */
  top?: number;
}

/** useMetrics measures requests of a period, by what they have in common. */
export function useMetrics({ measures, groupBy, compared = false, filter = "", top = 0, from, to, interval, timeZone }: MetricsInput, enabled = true) {
  return useQuery(
    ReportService.method.queryMetrics,
    {
      measures: [...measures],
      groupBy: groupBy === undefined ? [] : [groupBy],
      from: timestampFromDate(from),
      ...(to && { to: timestampFromDate(to) }),
      interval,
      timeZone,
      comparePrevious: compared,
      filter,
      top,
    },
    { enabled, ...live({ from, to }), placeholderData: keepPreviousData },
  );
}

const requestsPage = 50;

/** useRequests lists those that fit a filter, newest first; where nothing else tells of new ones it asks again every three seconds. */
export function useRequests(again: boolean, filter = "") {
  return useInfiniteQuery(
    ReportService.method.listRequests,
    { size: requestsPage, pageToken: "", filter },
    {
      pageParamKey: "pageToken",
      getNextPageParam: (last) => last.nextPageToken || undefined,
      ...(again && { refetchInterval: 3_000 }),
      refetchOnWindowFocus: false,
    },
  );
}

/** useNewestRequest is the newest request that fits a filter. */
export function useNewestRequest(filter: string, enabled: boolean) {
  return useQuery(ReportService.method.listRequests, { size: 1, filter }, { enabled, refetchInterval: 10_000 });
}

/** useRequest is one request in full; copies for shadows may come after it. "" asks for none. */
export function useRequest(requestId: string) {
  return useQuery(ReportService.method.getRequest, { requestId }, { enabled: requestId !== "" });
}
