import { createConnectQueryKey, useInfiniteQuery, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";

import { AlertDeliveryState, AlertService } from "../gen/weir/admin/v1/alert_pb";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { Alert, AlertAttempt, AlertDelivery } from "../gen/weir/admin/v1/alert_pb";
export { AlertDeliveryState };

const { listAlertDeliveries, listAlerts, retryAlertDelivery, sendTestAlert } = AlertService.method;

export const mayListAlerts = permissionOf(listAlerts);
export const mayListDeliveries = permissionOf(listAlertDeliveries);
export const mayRetryDelivery = permissionOf(retryAlertDelivery);
export const maySendTestAlert = permissionOf(sendTestAlert);

/** useAlerts lists what was raised, the newest first; filter is an AIP-160 expression, "": all. */
export function useAlerts(filter: string) {
  return useInfiniteQuery(
    listAlerts,
    { filter, page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage, refetchInterval: 15_000 },
  );
}

/** useAlert is one alert, where it is still kept; "" asks for none. */
export function useAlert(id: string) {
  return useQuery(listAlerts, { filter: `id = "${id}"` }, { enabled: id !== "", select: ({ alerts }) => alerts[0] ?? null });
}

/** useDeliveries lists alerts on their way to channels, the newest first. */
export function useDeliveries(filter: string, enabled = true) {
  return useInfiniteQuery(
    listAlertDeliveries,
    { filter, page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage, enabled, refetchInterval: 5_000 },
  );
}

export function useRetryDelivery() {
  const onSuccess = useRefresh();
  return useMutation(retryAlertDelivery, { onSuccess });
}

export function useSendTestAlert() {
  const onSuccess = useRefresh();
  return useMutation(sendTestAlert, { onSuccess });
}

function useRefresh() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const keys = [
    createConnectQueryKey({ schema: listAlerts, transport, cardinality: "infinite" }),
    createConnectQueryKey({ schema: listAlertDeliveries, transport, cardinality: "infinite" }),
  ];
  return () => Promise.all(keys.map((queryKey) => queryClient.invalidateQueries({ queryKey })));
}
