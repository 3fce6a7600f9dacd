import { callUnaryMethod, createConnectQueryKey, useInfiniteQuery, useMutation, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";

import { ServiceAccountService } from "../gen/weir/admin/v1/service_account_pb";
import type { Names } from "./names";
import { useForgetNames, useNames } from "./names";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { CreateServiceAccountTokenResponse, ServiceAccount, ServiceAccountToken } from "../gen/weir/admin/v1/service_account_pb";

const {
  listServiceAccounts,
  createServiceAccount,
  updateServiceAccount,
  deleteServiceAccount,
  createServiceAccountToken,
  revokeServiceAccountToken,
} = ServiceAccountService.method;

export const mayListServiceAccounts = permissionOf(listServiceAccounts);
export const mayCreateServiceAccount = permissionOf(createServiceAccount);
export const mayUpdateServiceAccount = permissionOf(updateServiceAccount);
export const mayDeleteServiceAccount = permissionOf(deleteServiceAccount);
export const mayRevokeServiceAccountToken = permissionOf(revokeServiceAccountToken);

export function useServiceAccounts(enabled: boolean) {
  return useInfiniteQuery(listServiceAccounts, { page: firstPage }, { pageParamKey: "page", getNextPageParam: nextPage, enabled });
}

/** useServiceAccountNames says which service account an id stands for; one that was deleted stays an id. */
export function useServiceAccountNames(enabled: boolean): Names {
  return useNames("service accounts", enabled, async (transport, page, signal) => {
    const { serviceAccounts, nextPageToken } = await callUnaryMethod(transport, listServiceAccounts, { page }, { signal });
    return { items: serviceAccounts, nextPageToken };
  });
}

export function useCreateServiceAccount() {
  return useMutation(createServiceAccount, { onSuccess: useRefreshAccounts() });
}

export function useUpdateServiceAccount() {
  return useMutation(updateServiceAccount, { onSettled: useRefreshAccounts() });
}

export function useDeleteServiceAccount() {
  return useMutation(deleteServiceAccount, { onSettled: useRefreshAccounts() });
}

export function useCreateServiceAccountToken() {
  // The answer holds the secret: it goes with the dialog that shows it.
  return useMutation(createServiceAccountToken, { onSuccess: useRefreshAccounts(), gcTime: 0 });
}

export function useRevokeServiceAccountToken() {
  return useMutation(revokeServiceAccountToken, { onSuccess: useRefreshAccounts() });
}

function useRefreshAccounts() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const queryKey = createConnectQueryKey({ schema: listServiceAccounts, transport, cardinality: "infinite" });
  const forgetNames = useForgetNames("service accounts");
  return () => Promise.all([queryClient.invalidateQueries({ queryKey }), forgetNames()]);
}
