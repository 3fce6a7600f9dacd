import type { JsonValue } from "@bufbuild/protobuf";
import { toJson } from "@bufbuild/protobuf";
import type { ListValue } from "@bufbuild/protobuf/wkt";
import { ListValueSchema, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { useInfiniteQuery, useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";

import { Interval, Measure, ReportService } from "../gen/weir/admin/v1/report_pb";
import { permissionOf } from "./permission";

export { Interval, Measure };
export type {
  Column,
  GetOverviewResponse,
  GetRequestResponse,
  MetricSeries,
  Point,
  QueryMetricsResponse,
  Request,
  RequestAttempt,
  RequestCandidate,
  RunQueryResponse,
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

export function useOverview({ from, to, interval, timeZone }: OverviewInput) {
  return useQuery(
    ReportService.method.getOverview,
    { from: timestampFromDate(from), ...(to && { to: timestampFromDate(to) }), interval, timeZone },
    { refetchInterval: to ? false : 10_000, placeholderData: keepPreviousData },
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
    { enabled, refetchInterval: to ? false : 30_000, placeholderData: keepPreviousData },
  );
}

const requestsPage = 50;

/** useRequests lists those that fit a filter, newest first; while live it asks again every three seconds. */
export function useRequests(live: boolean, filter = "") {
  return useInfiniteQuery(
    ReportService.method.listRequests,
    { size: requestsPage, pageToken: "", filter },
    {
      pageParamKey: "pageToken",
      getNextPageParam: (last) => last.nextPageToken || undefined,
      refetchInterval: live ? 3_000 : false,
      refetchOnWindowFocus: live,
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

/** useColumns are the columns of a view, as the analytics store has them. */
export function useColumns(view: string) {
  return useQuery(
    ReportService.method.runQuery,
    { sql: `SELECT * FROM ${view} LIMIT 0` },
    { staleTime: Infinity, refetchOnWindowFocus: false },
  );
}

/** useRunQuery runs a statement once; "" runs nothing. */
export function useRunQuery(sql: string) {
  return useQuery(
    ReportService.method.runQuery,
    { sql },
    { enabled: sql !== "", staleTime: Infinity, retry: false, refetchOnWindowFocus: false },
  );
}

/** cellsOf is one result row as JSON values, in the order of the columns. */
export function cellsOf(row: ListValue): JsonValue[] {
  const json = toJson(ListValueSchema, row);
  return Array.isArray(json) ? json : [];
}

/** What proxies take of an address, with room for the rest of it. */
const longestQuery = 6000;

/** queryCsv is the address of a statement's result as a file; none where the statement is too long for one. */
export function queryCsv(sql: string): string | undefined {
  const query = new URLSearchParams({ sql }).toString();
  return query.length <= longestQuery ? `/v1/reports/query.csv?${query}` : undefined;
}
