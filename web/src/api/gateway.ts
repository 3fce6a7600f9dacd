import { callUnaryMethod, createConnectQueryKey, useInfiniteQuery, useMutation, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";

import { GatewayService } from "../gen/weir/admin/v1/gateway_pb";
import type { Names } from "./names";
import { useNames } from "./names";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { Agent, AgentCredential, Gateway } from "../gen/weir/admin/v1/gateway_pb";
export { CredentialState } from "../gen/weir/admin/v1/gateway_pb";

export const mayListGateways = permissionOf(GatewayService.method.listGateways);
export const mayListAgents = permissionOf(GatewayService.method.listAgents);
export const mayRevokeAgent = permissionOf(GatewayService.method.revokeAgent);

export function useGateways() {
  return useInfiniteQuery(
    GatewayService.method.listGateways,
    { page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage },
  );
}

/** useAgents is every gateway's fleet, asked for again every five seconds. */
export function useAgents(enabled: boolean) {
  return useInfiniteQuery(
    GatewayService.method.listAgents,
    { page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage, enabled, refetchInterval: 5_000 },
  );
}

export function useRevokeAgent() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const queryKey = createConnectQueryKey({ schema: GatewayService.method.listAgents, transport, cardinality: "infinite" });
  const onSuccess = () => queryClient.invalidateQueries({ queryKey });
  return useMutation(GatewayService.method.revokeAgent, { onSuccess });
}

/** useGatewayNames says which gateway an id stands for. */
export function useGatewayNames(enabled: boolean): Names {
  return useNames("gateways", enabled, async (transport, page, signal) => {
    const { gateways, nextPageToken } = await callUnaryMethod(transport, GatewayService.method.listGateways, { page }, { signal });
    return { items: gateways, nextPageToken };
  });
}
