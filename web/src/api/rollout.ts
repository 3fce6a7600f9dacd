import { createConnectQueryKey, useInfiniteQuery, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";

import { GatewayService } from "../gen/weir/admin/v1/gateway_pb";
import { PromoteTo, RolloutHoldCause, RolloutService, RolloutState, RolloutStrategy } from "../gen/weir/admin/v1/rollout_pb";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { GatewayStage, GoBackResponse, Rollout, RolloutSettings } from "../gen/weir/admin/v1/rollout_pb";
export { PromoteTo, RolloutHoldCause, RolloutState, RolloutStrategy };

const { getRollout, listRollouts, promoteRollout, holdRollout, resumeRollout, goBack, goForward } = RolloutService.method;

export const mayGetRollout = permissionOf(getRollout);
export const mayListRollouts = permissionOf(listRollouts);
export const mayPromoteRollout = permissionOf(promoteRollout);
export const mayHoldRollout = permissionOf(holdRollout);
export const mayResumeRollout = permissionOf(resumeRollout);
export const mayGoBack = permissionOf(goBack);
export const mayGoForward = permissionOf(goForward);

/** useRollout is one rollout or going back, asked for again every two seconds; "" asks for none. */
export function useRollout(id: string, enabled: boolean) {
  return useQuery(getRollout, { id }, { enabled: enabled && id !== "", refetchInterval: 2_000 });
}

/** useRollouts lists a gateway's rollouts and goings back, newest first. */
export function useRollouts(gatewayId: string, enabled: boolean) {
  return useInfiniteQuery(
    listRollouts,
    { gatewayId, page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage, enabled, refetchInterval: 5_000 },
  );
}

/** usePromoted is what promoting would make of a rollout; it changes nothing. */
export function usePromoted(id: string, to: PromoteTo) {
  return useQuery(promoteRollout, { id, to, mutation: { validateOnly: true } }, { retry: false, staleTime: 0, gcTime: 0 });
}

/** useGoneBack is what going back would change; it changes nothing. Version 0 asks for nothing. */
export function useGoneBack(gatewayId: string, version: bigint) {
  return useQuery(
    goBack,
    { gatewayId, version, mutation: { validateOnly: true } },
    { enabled: version > 0n, retry: false, staleTime: 0, gcTime: 0 },
  );
}

export function usePromoteRollout() {
  return useMutation(promoteRollout, { onSuccess: useRefreshStage() });
}

export function useHoldRollout() {
  return useMutation(holdRollout, { onSuccess: useRefreshStage() });
}

export function useResumeRollout() {
  return useMutation(resumeRollout, { onSuccess: useRefreshStage() });
}

export function useGoBack() {
  return useMutation(goBack, { onSuccess: useRefreshStage() });
}

export function useGoForward() {
  return useMutation(goForward, { onSuccess: useRefreshStage() });
}

// What a rollout moves shows in the gateway, its agents and its rollouts.
function useRefreshStage() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const shown = [
    createConnectQueryKey({ schema: GatewayService.method.getGateway, transport, cardinality: "finite" }),
    createConnectQueryKey({ schema: GatewayService.method.listAgents, transport, cardinality: "infinite" }),
    createConnectQueryKey({ schema: getRollout, transport, cardinality: "finite" }),
    createConnectQueryKey({ schema: listRollouts, transport, cardinality: "infinite" }),
  ];
  return () => Promise.all(shown.map((queryKey) => queryClient.invalidateQueries({ queryKey })));
}
