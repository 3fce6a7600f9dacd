import { callUnaryMethod, createConnectQueryKey, useInfiniteQuery, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";

import { SavedReportService } from "../gen/weir/admin/v1/saved_report_pb";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { SavedReport } from "../gen/weir/admin/v1/saved_report_pb";

export const maySaveReports = permissionOf(SavedReportService.method.createSavedReport);

export function useSavedReports() {
  return useInfiniteQuery(SavedReportService.method.listSavedReports, { page: firstPage }, { pageParamKey: "page", getNextPageParam: nextPage });
}

/** useSavedReport is one report. It is not asked for again by itself: what is being edited stays. */
export function useSavedReport(id: string) {
  return useQuery(SavedReportService.method.getSavedReport, { id }, { staleTime: 30_000, refetchOnWindowFocus: false });
}

/** useReadSavedReport reads one as it is now. */
export function useReadSavedReport() {
  const transport = useTransport();
  return async (id: string) => (await callUnaryMethod(transport, SavedReportService.method.getSavedReport, { id })).savedReport;
}

export function useCreateSavedReport() {
  const onSuccess = useRefreshSavedReports();
  return useMutation(SavedReportService.method.createSavedReport, { onSuccess });
}

export function useUpdateSavedReport() {
  const onSuccess = useRefreshSavedReports();
  return useMutation(SavedReportService.method.updateSavedReport, { onSuccess });
}

export function useDeleteSavedReport() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const list = createConnectQueryKey({ schema: SavedReportService.method.listSavedReports, transport, cardinality: "infinite" });
  return useMutation(SavedReportService.method.deleteSavedReport, { onSuccess: () => queryClient.invalidateQueries({ queryKey: list }) });
}

function useRefreshSavedReports() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const list = createConnectQueryKey({ schema: SavedReportService.method.listSavedReports, transport, cardinality: "infinite" });
  const one = createConnectQueryKey({ schema: SavedReportService.method.getSavedReport, transport, cardinality: "finite" });
  return () => Promise.all([list, one].map((queryKey) => queryClient.invalidateQueries({ queryKey })));
}
