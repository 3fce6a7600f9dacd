import { callUnaryMethod, createConnectQueryKey, useInfiniteQuery, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";

import { KeyService } from "../gen/weir/admin/v1/key_pb";
import type { Names } from "./names";
import { useForgetNames, useNames } from "./names";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export { Priority } from "../gen/weir/admin/v1/key_pb";
export type { CreateKeyResponse, GetKeyRevocationResponse, Key, RevocationReceipt } from "../gen/weir/admin/v1/key_pb";

export const mayListKeys = permissionOf(KeyService.method.listKeys);
export const mayGetKey = permissionOf(KeyService.method.getKey);
export const mayCreateKey = permissionOf(KeyService.method.createKey);
export const mayRevokeKey = permissionOf(KeyService.method.revokeKey);

export function useKeys(enabled = true) {
  return useInfiniteQuery(
    KeyService.method.listKeys,
    { page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage, enabled },
  );
}

/** useKey is one key. */
export function useKey(id: string) {
  return useQuery(KeyService.method.getKey, { id });
}

/** useKeyRevocation is which agents refuse a revoked key, asked for again every second until all do. */
export function useKeyRevocation(id: string) {
  return useQuery(
    KeyService.method.getKeyRevocation,
    { id },
    { staleTime: 0, refetchInterval: ({ state }) => (state.data?.complete ? false : 1_000) },
  );
}

export function useCreateKey() {
  const onSuccess = useRefreshKeys();
  // The answer holds the secret: it goes with the dialog that shows it.
  return useMutation(KeyService.method.createKey, { onSuccess, gcTime: 0 });
}

export function useRevokeKey() {
  const onSuccess = useRefreshKeys();
  return useMutation(KeyService.method.revokeKey, { onSuccess });
}

function useRefreshKeys() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const list = createConnectQueryKey({ schema: KeyService.method.listKeys, transport, cardinality: "infinite" });
  const one = createConnectQueryKey({ schema: KeyService.method.getKey, transport, cardinality: "finite" });
  const forgetNames = useForgetNames("keys");
  return () => Promise.all([...[list, one].map((queryKey) => queryClient.invalidateQueries({ queryKey })), forgetNames()]);
}

/** useKeyNames says which key an id stands for. */
export function useKeyNames(enabled: boolean): Names {
  return useNames("keys", enabled, async (transport, page, signal) => {
    const { keys, nextPageToken } = await callUnaryMethod(transport, KeyService.method.listKeys, { page }, { signal });
    return { items: keys, nextPageToken };
  });
}
