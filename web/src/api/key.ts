import { callUnaryMethod, createConnectQueryKey, useInfiniteQuery, useMutation, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";

import { KeyService } from "../gen/weir/admin/v1/key_pb";
import type { Names } from "./names";
import { useForgetNames, useNames } from "./names";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { CreateKeyResponse, Key } from "../gen/weir/admin/v1/key_pb";

export const mayListKeys = permissionOf(KeyService.method.listKeys);
export const mayCreateKey = permissionOf(KeyService.method.createKey);
export const mayRevokeKey = permissionOf(KeyService.method.revokeKey);

export function useKeys() {
  return useInfiniteQuery(
    KeyService.method.listKeys,
    { page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage },
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
  const queryKey = createConnectQueryKey({ schema: KeyService.method.listKeys, transport, cardinality: "infinite" });
  const forgetNames = useForgetNames("keys");
  return () => Promise.all([queryClient.invalidateQueries({ queryKey }), forgetNames()]);
}

/** useKeyNames says which key an id stands for. */
export function useKeyNames(enabled: boolean): Names {
  return useNames("keys", enabled, async (transport, page, signal) => {
    const { keys, nextPageToken } = await callUnaryMethod(transport, KeyService.method.listKeys, { page }, { signal });
    return { items: keys, nextPageToken };
  });
}
