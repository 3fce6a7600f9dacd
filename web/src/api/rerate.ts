import type { MessageInitShape } from "@bufbuild/protobuf";
import { createConnectQueryKey, useInfiniteQuery, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";

import type { RerateUsageRequestSchema } from "../gen/weir/admin/v1/rerate_pb";
import { RerateService, RerateState } from "../gen/weir/admin/v1/rerate_pb";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { Rerate, RerateDifference, RerateLeftOut } from "../gen/weir/admin/v1/rerate_pb";
export { RerateState };

/** RerateInput is which usage is priced anew, and why. */
export type RerateInput = Pick<
  Exclude<MessageInitShape<typeof RerateUsageRequestSchema>, { $typeName: string }>,
  "from" | "until" | "projectId" | "providerId" | "model" | "priceUnpriced" | "reason" | "coveredUntil"
>;

const { getRerate, listRerates, rerateUsage } = RerateService.method;

export const mayCreateRerate = permissionOf(rerateUsage);
export const mayGetRerate = permissionOf(getRerate);
export const mayListRerates = permissionOf(listRerates);

const whileRunning = 2_000;

/** useRerates lists them, the newest first, asked for again while one runs. */
export function useRerates(enabled: boolean) {
  return useInfiniteQuery(
    listRerates,
    { orderBy: "created_at desc", page: firstPage },
    {
      pageParamKey: "page",
      getNextPageParam: nextPage,
      enabled,
      refetchInterval: ({ state }) =>
        state.data?.pages.some((page) => page.rerates.some((r) => r.state === RerateState.RUNNING)) ? whileRunning : false,
    },
  );
}

/** useRerate is one with its differences, asked for again until it is done. */
export function useRerate(id: string) {
  return useQuery(
    getRerate,
    { id },
    { refetchInterval: ({ state }) => (state.data?.rerate?.state === RerateState.RUNNING ? whileRunning : false) },
  );
}

/** useDryRerate asks what a re-rate would come to; it writes nothing. */
export function useDryRerate() {
  return useMutation(rerateUsage);
}

export function useRerateUsage() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const queryKey = createConnectQueryKey({ schema: listRerates, transport, cardinality: "infinite" });
  return useMutation(rerateUsage, { onSuccess: () => queryClient.invalidateQueries({ queryKey }) });
}
