import { callUnaryMethod, createConnectQueryKey, useInfiniteQuery, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";

import { QuotaMode, WhenUnreachable } from "../gen/weir/admin/v1/quota_pb";
import { ForecastConfidence, QuotaKind, QuotaService, QuotaUnit } from "../gen/weir/admin/v1/quota_service_pb";
import type { Names } from "./names";
import { useNames } from "./names";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { QuotaScope } from "../gen/weir/admin/v1/quota_pb";
export type { PastQuotaWindow, Quota, QuotaForecast, QuotaLease, QuotaStanding } from "../gen/weir/admin/v1/quota_service_pb";
export { ForecastConfidence, QuotaKind, QuotaMode, QuotaUnit, WhenUnreachable };

const { getQuota, listQuotas, listQuotaHistory, listQuotaSubjects, releaseLeases, writeOffLease } = QuotaService.method;

export const mayListQuotas = permissionOf(listQuotas);
export const mayGetQuota = permissionOf(getQuota);
export const mayListQuotaHistory = permissionOf(listQuotaHistory);
export const mayReleaseLeases = permissionOf(releaseLeases);
export const mayWriteOffLease = permissionOf(writeOffLease);

const often = 5_000;
const seldom = 60_000;

/** useQuotas lists budgets, then limits, asked for again every few seconds while they are few; "" is every project. */
export function useQuotas(kind: QuotaKind, projectId: string, filter: string) {
  return useInfiniteQuery(
    listQuotas,
    { kind, projectId, filter, page: firstPage },
    {
      pageParamKey: "page",
      getNextPageParam: nextPage,
      refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 2 ? seldom : often),
    },
  );
}

/** useQuotaNames says which budget or limit an id stands for. */
export function useQuotaNames(enabled: boolean): Names {
  return useNames("quotas", enabled, async (transport, page, signal) => {
    const { quotas, nextPageToken } = await callUnaryMethod(transport, listQuotas, { page }, { signal });
    return { items: quotas, nextPageToken };
  });
}

/** useQuota is one budget or limit with its leases, or one of the subjects that it counts apart. */
export function useQuota(id: string, subject = "") {
  return useQuery(getQuota, { id, subject }, { enabled: id !== "", refetchInterval: often });
}

/** useQuotaSubjects lists what a quota counts apart, those that spent the most first. */
export function useQuotaSubjects(id: string) {
  return useInfiniteQuery(listQuotaSubjects, { id, page: firstPage }, { pageParamKey: "page", getNextPageParam: nextPage });
}

/** useQuotaHistory lists past windows, the latest first. */
export function useQuotaHistory(id: string, subject: string, enabled: boolean) {
  return useInfiniteQuery(
    listQuotaHistory,
    { id, subject, page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage, enabled },
  );
}

export function useWriteOffLease() {
  return useMutation(writeOffLease, { onSuccess: useRefreshQuotas() });
}

/** useReleased is what releasing would leave outstanding; it changes nothing. */
export function useReleased(id: string) {
  return useQuery(releaseLeases, { id, reason: "to see what it would do", mutation: { validateOnly: true } }, { retry: false, staleTime: 0, gcTime: 0 });
}

export function useReleaseLeases() {
  return useMutation(releaseLeases, { onSuccess: useRefreshQuotas() });
}

/** useRefreshQuotas makes everything about how it stands be asked for again. */
export function useRefreshQuotas() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const queryKey = createConnectQueryKey({ schema: getQuota, transport, cardinality: "finite" });
  const refreshList = useRefreshQuotaList();
  return () => Promise.all([queryClient.invalidateQueries({ queryKey }), refreshList()]);
}

/** useRefreshQuotaList makes the list alone be asked for again: of what was deleted nothing else is there. */
export function useRefreshQuotaList() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const queryKey = createConnectQueryKey({ schema: listQuotas, transport, cardinality: "infinite" });
  return () => queryClient.invalidateQueries({ queryKey });
}
