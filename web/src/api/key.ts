import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { callUnaryMethod, createConnectQueryKey, useInfiniteQuery, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQuery as usePlainQuery, useQueryClient } from "@tanstack/react-query";

import type { Key } from "../gen/weir/admin/v1/key_pb";
import { KeySchema, KeyService } from "../gen/weir/admin/v1/key_pb";
import type { Names } from "./names";
import { useForgetNames, useNames } from "./names";
import { firstPage, nextPage, readAll } from "./page";
import { permissionOf } from "./permission";

export { Priority } from "../gen/weir/admin/v1/key_pb";
export type { CreateKeyResponse, GetKeyRevocationResponse, Key, RevocationReceipt, RotateKeyResponse } from "../gen/weir/admin/v1/key_pb";

/** KeyInput is what people choose of a key besides its project. */
export type KeyInput = Pick<
  Exclude<MessageInitShape<typeof KeySchema>, { $typeName: string }>,
  "name" | "routeIds" | "expiresAt" | "labels" | "weight" | "priority"
>;

/** keyOf is a key as it would be, to be compared. */
export function keyOf(input: KeyInput): Key {
  return create(KeySchema, input);
}

const { createKey, endKeyOverlap, getKey, getKeyRevocation, listKeys, revokeKey, rotateKey, updateKey } = KeyService.method;

export const mayListKeys = permissionOf(listKeys);
export const mayGetKey = permissionOf(getKey);
export const mayCreateKey = permissionOf(createKey);
export const mayUpdateKey = permissionOf(updateKey);
export const mayRotateKey = permissionOf(rotateKey);
export const mayEndKeyOverlap = permissionOf(endKeyOverlap);
export const mayRevokeKey = permissionOf(revokeKey);

/** useKeys lists keys by name, revoked ones too; "" is every project. */
export function useKeys(enabled = true, projectId = "") {
  return useInfiniteQuery(listKeys, { page: firstPage, projectId }, { pageParamKey: "page", getNextPageParam: nextPage, enabled });
}

/** useLivingKeys are all keys that are not revoked by their ids, at most 2,000. */
export function useLivingKeys(enabled: boolean): ReadonlyMap<string, Key> | undefined {
  const transport = useTransport();
  const { data } = usePlainQuery({
    queryKey: livingKeys,
    queryFn: ({ signal }) =>
      readAll(async (page) => {
        const { keys, nextPageToken } = await callUnaryMethod(transport, listKeys, { page, filter: "NOT revoked_at:*" }, { signal });
        return { items: keys, nextPageToken };
      }),
    enabled,
    staleTime: 30_000,
  });
  return data;
}

const livingKeys = ["living keys"];

/** useKey is one key; "" asks for none. Fresh is as it is now, not as it was read a moment ago. */
export function useKey(id: string, fresh = false) {
  return useQuery(getKey, { id }, { enabled: id !== "", ...(fresh && { staleTime: 0 }) });
}

/** useKeyRevocation is which agents refuse a revoked key, or its previous secret that was ended, asked for again every second until all do. */
export function useKeyRevocation(id: string, previousSecret: boolean) {
  return useQuery(
    getKeyRevocation,
    { id, previousSecret },
    { staleTime: 0, refetchInterval: ({ state }) => (state.data?.complete ? false : 1_000) },
  );
}

export function useCreateKey() {
  const onSuccess = useRefreshKeys();
  // The answer holds the secret: it goes with the dialog that shows it.
  return useMutation(createKey, { onSuccess, gcTime: 0 });
}

export function useUpdateKey() {
  const onSuccess = useRefreshKeys();
  return useMutation(updateKey, { onSuccess });
}

/** useRotateKey gives a key a new secret. After a refusal, too, the key is read again: somebody else may have been faster. */
export function useRotateKey() {
  const onSettled = useRefreshKeys();
  return useMutation(rotateKey, { onSettled, gcTime: 0 });
}

/** useEndKeyOverlap ends the secret before the last rotation. */
export function useEndKeyOverlap() {
  const onSuccess = useRefreshKeys();
  return useMutation(endKeyOverlap, { onSuccess });
}

export function useRevokeKey() {
  const onSuccess = useRefreshKeys();
  return useMutation(revokeKey, { onSuccess });
}

function useRefreshKeys() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const list = createConnectQueryKey({ schema: listKeys, transport, cardinality: "infinite" });
  const one = createConnectQueryKey({ schema: getKey, transport, cardinality: "finite" });
  const forgetNames = useForgetNames("keys");
  return () => Promise.all([...[list, one, livingKeys].map((queryKey) => queryClient.invalidateQueries({ queryKey })), forgetNames()]);
}

/** useKeyNames says which key an id stands for. */
export function useKeyNames(enabled: boolean): Names {
  return useNames("keys", enabled, async (transport, page, signal) => {
    const { keys, nextPageToken } = await callUnaryMethod(transport, listKeys, { page }, { signal });
    return { items: keys, nextPageToken };
  });
}
