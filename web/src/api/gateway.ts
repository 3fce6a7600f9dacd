import { callUnaryMethod, createConnectQueryKey, useInfiniteQuery, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";

import type { AgentTarget } from "../gen/weir/admin/v1/gateway_pb";
import { CredentialState, GatewayService, SpoolFull, TargetState } from "../gen/weir/admin/v1/gateway_pb";
import type { Names } from "./names";
import { useNames } from "./names";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { Agent, AgentCredential, AgentTarget, Gateway, UnservedRoute } from "../gen/weir/admin/v1/gateway_pb";
export { CredentialState, SpoolFull, TargetState };

export const mayListGateways = permissionOf(GatewayService.method.listGateways);
export const mayGetGateway = permissionOf(GatewayService.method.getGateway);
export const mayUpdateGateway = permissionOf(GatewayService.method.updateGateway);
export const mayListAgents = permissionOf(GatewayService.method.listAgents);
export const mayRevokeAgent = permissionOf(GatewayService.method.revokeAgent);
export const mayCreateGateway = permissionOf(GatewayService.method.createGateway);
export const mayEnrol = permissionOf(GatewayService.method.createEnrolmentToken);
export const maySetGatewayKey = permissionOf(GatewayService.method.setGatewayKey);

export function useGateways(enabled = true) {
  return useInfiniteQuery(
    GatewayService.method.listGateways,
    { page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage, enabled },
  );
}

/** useGateway is one gateway and what its agents are to have, asked for again every two seconds. */
export function useGateway(id: string) {
  return useQuery(GatewayService.method.getGateway, { id }, { refetchInterval: 2_000 });
}

export function useUpdateGateway() {
  return useMutation(GatewayService.method.updateGateway, { onSuccess: useRefreshGateways() });
}

export function useCreateGateway() {
  return useMutation(GatewayService.method.createGateway, { onSuccess: useRefreshGateways() });
}

/** useSetGatewayKey says for which key credentials are sealed from now on. */
export function useSetGatewayKey() {
  return useMutation(GatewayService.method.setGatewayKey, { onSuccess: useRefreshGateways() });
}

function useRefreshGateways() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const { getGateway, listGateways } = GatewayService.method;
  const shown = [
    createConnectQueryKey({ schema: getGateway, transport, cardinality: "finite" }),
    createConnectQueryKey({ schema: listGateways, transport, cardinality: undefined }),
  ];
  return () => Promise.all(shown.map((queryKey) => queryClient.invalidateQueries({ queryKey })));
}

/** useCreateEnrolmentToken makes what agents join with; the answer goes with what shows it. */
export function useCreateEnrolmentToken() {
  return useMutation(GatewayService.method.createEnrolmentToken, { gcTime: 0 });
}

/** useAgents is the fleet of a gateway, "" of all, asked for again every few seconds. */
export function useAgents(enabled: boolean, gatewayId = "") {
  return useInfiniteQuery(
    GatewayService.method.listAgents,
    { gatewayId, page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage, enabled, refetchInterval: gatewayId ? 2_000 : 5_000 },
  );
}

/** useAgent is one agent with all its credentials, asked for again every two seconds; "" asks for none. */
export function useAgent(id: string) {
  return useQuery(GatewayService.method.getAgent, { id }, { enabled: id !== "", refetchInterval: 2_000 });
}

/** useAgentCredentials is how every living agent does with one provider's credential. */
export function useAgentCredentials(providerId: string, enabled: boolean) {
  return useQuery(GatewayService.method.listAgentCredentials, { providerId }, { enabled, refetchInterval: 5_000 });
}

/** TargetsOf are one agent's, or those at one provider. */
export type TargetsOf = { case: "agentId" | "providerId"; value: string };

/** useAgentTargets is how agents find the targets that they tried, asked for again every few seconds. */
export function useAgentTargets(of: TargetsOf) {
  return useQuery(GatewayService.method.listAgentTargets, { of }, { refetchInterval: 5_000 });
}

/** useTroubledTargets are those that agents don't send every request that is for them; undefined until they are read. */
export function useTroubledTargets(enabled: boolean): readonly AgentTarget[] | undefined {
  const { data, isLoading } = useQuery(GatewayService.method.listAgentTargets, { of: { case: "notClosed", value: true } }, { enabled, refetchInterval: 5_000 });
  return isLoading ? undefined : (data?.targets ?? []);
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

/** useAgentNames says which agent an id stands for. */
export function useAgentNames(enabled: boolean): Names {
  return useNames("agents", enabled, async (transport, page, signal) => {
    const { agents, nextPageToken } = await callUnaryMethod(transport, GatewayService.method.listAgents, { page }, { signal });
    return { items: agents, nextPageToken };
  });
}
