import { callUnaryMethod, createConnectQueryKey, useInfiniteQuery, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";

import { AlertChannelService, AlertKind, Delivery } from "../gen/weir/admin/v1/alert_channel_pb";
import type { Names } from "./names";
import { useForgetNames, useNames } from "./names";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { AlertChannel, TestAlertChannelResponse } from "../gen/weir/admin/v1/alert_channel_pb";
export { AlertKind, Delivery };

const { createAlertChannel, deleteAlertChannel, getAlertChannel, listAlertChannels, setAlertChannelSecret, testAlertChannel, updateAlertChannel } =
  AlertChannelService.method;

export const mayListAlertChannels = permissionOf(listAlertChannels);
export const mayCreateAlertChannel = permissionOf(createAlertChannel);
export const mayUpdateAlertChannel = permissionOf(updateAlertChannel);
export const mayDeleteAlertChannel = permissionOf(deleteAlertChannel);
export const mayTestAlertChannel = permissionOf(testAlertChannel);

export function useAlertChannels(enabled: boolean) {
  return useInfiniteQuery(listAlertChannels, { page: firstPage }, { pageParamKey: "page", getNextPageParam: nextPage, enabled });
}

/** useAlertChannel is one channel as it is now; "" asks for none. */
export function useAlertChannel(id: string) {
  return useQuery(getAlertChannel, { id }, { enabled: id !== "", staleTime: 0 });
}

// Requests with a secret go with the dialog that makes it.
export function useCreateAlertChannel() {
  return useMutation(createAlertChannel, { onSuccess: useRefreshChannels(), gcTime: 0 });
}

export function useUpdateAlertChannel() {
  return useMutation(updateAlertChannel, { onSuccess: useRefreshChannels() });
}

export function useSetAlertChannelSecret() {
  return useMutation(setAlertChannelSecret, { onSuccess: useRefreshChannels(), gcTime: 0 });
}

export function useDeleteAlertChannel() {
  return useMutation(deleteAlertChannel, { onSuccess: useRefreshChannels() });
}

export function useTestAlertChannel() {
  return useMutation(testAlertChannel);
}

function useRefreshChannels() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const queryKey = createConnectQueryKey({ schema: listAlertChannels, transport, cardinality: "infinite" });
  const forgetNames = useForgetNames("alert channels");
  return () => Promise.all([queryClient.invalidateQueries({ queryKey }), forgetNames()]);
}

/** useAlertChannelNames says which alert channel an id stands for. */
export function useAlertChannelNames(enabled: boolean): Names {
  return useNames("alert channels", enabled, async (transport, page, signal) => {
    const { alertChannels, nextPageToken } = await callUnaryMethod(transport, listAlertChannels, { page }, { signal });
    return { items: alertChannels, nextPageToken };
  });
}

const secretBytes = 32;

/** newSecret is a webhook's secret, as Standard Webhooks writes it. */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(secretBytes));
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}
