import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { callUnaryMethod, createConnectQueryKey, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQuery as usePlainQuery, useQueryClient } from "@tanstack/react-query";

import type { Limit } from "../gen/weir/admin/v1/limit_pb";
import { LimitMetric, LimitSchema, LimitService, LimitWindow } from "../gen/weir/admin/v1/limit_pb";
import { readAll } from "./page";
import { permissionOf } from "./permission";
import { useRefreshQuotaList, useRefreshQuotas } from "./quota";

export type { Limit } from "../gen/weir/admin/v1/limit_pb";
export { LimitMetric, LimitWindow };

/** LimitInput is what people choose of a limit. */
export type LimitInput = Pick<
  Exclude<MessageInitShape<typeof LimitSchema>, { $typeName: string }>,
  "name" | "scope" | "metric" | "amount" | "window" | "mode" | "whenUnreachable"
>;

/** limitOf is a limit as it would be, to be compared. */
export function limitOf(input: LimitInput): Limit {
  return create(LimitSchema, input);
}

const { createLimit, deleteLimit, getLimit, listLimits, updateLimit } = LimitService.method;

export const mayGetLimit = permissionOf(getLimit);
export const mayListLimits = permissionOf(listLimits);
export const mayCreateLimit = permissionOf(createLimit);
export const mayUpdateLimit = permissionOf(updateLimit);
export const mayDeleteLimit = permissionOf(deleteLimit);

/** useLimit is one limit; "" asks for none. Fresh is as it is now, not as it was read a moment ago. */
export function useLimit(id: string, fresh = false) {
  return useQuery(getLimit, { id }, { enabled: id !== "", ...(fresh && { staleTime: 0 }) });
}

const allLimits = ["all limits"];

/** useLimits are all limits by their ids, at most 2,000. */
export function useLimits(enabled: boolean): ReadonlyMap<string, Limit> | undefined {
  const transport = useTransport();
  const { data } = usePlainQuery({
    queryKey: allLimits,
    queryFn: ({ signal }) =>
      readAll(async (page) => {
        const { limits, nextPageToken } = await callUnaryMethod(transport, listLimits, { page }, { signal });
        return { items: limits, nextPageToken };
      }),
    enabled,
    staleTime: 30_000,
  });
  return data;
}

export function useCreateLimit() {
  return useMutation(createLimit, { onSuccess: useRefreshLimits() });
}

export function useUpdateLimit() {
  return useMutation(updateLimit, { onSuccess: useRefreshLimits() });
}

export function useDeleteLimit() {
  const queryClient = useQueryClient();
  const refreshList = useRefreshQuotaList();
  const onSuccess = () => Promise.all([queryClient.invalidateQueries({ queryKey: allLimits }), refreshList()]);
  return useMutation(deleteLimit, { onSuccess });
}

function useRefreshLimits() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const one = createConnectQueryKey({ schema: getLimit, transport, cardinality: "finite" });
  const refreshQuotas = useRefreshQuotas();
  return () => Promise.all([...[one, allLimits].map((queryKey) => queryClient.invalidateQueries({ queryKey })), refreshQuotas()]);
}
