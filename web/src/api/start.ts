import { useQuery } from "@connectrpc/connect-query";

import { GatewayService } from "../gen/weir/admin/v1/gateway_pb";
import { KeyService } from "../gen/weir/admin/v1/key_pb";
import { ProviderService } from "../gen/weir/admin/v1/provider_pb";
import { ReportService } from "../gen/weir/admin/v1/report_pb";
import { RouteService } from "../gen/weir/admin/v1/route_pb";
import type { Agent, Gateway } from "./gateway";
import { mayListAgents, mayListGateways } from "./gateway";
import type { Key } from "./key";
import { mayListKeys } from "./key";
import type { Provider } from "./provider";
import { mayListProviders } from "./provider";
import type { Request } from "./report";
import { mayReadReports } from "./report";
import type { Route } from "./route";
import { mayListRoutes } from "./route";

/** Progress is what an organization has of what a first request needs; undefined: not known yet, or not for this role. */
export interface Progress {
  providers: readonly Provider[] | undefined;
  routes: readonly Route[] | undefined;
  gateways: readonly Gateway[] | undefined;
  /** Without those that were revoked. */
  agents: readonly Agent[] | undefined;
  /** Those that were not revoked. */
  keys: readonly Key[] | undefined;
  /** The newest one, at most. */
  requests: readonly Request[] | undefined;
  /** Whether the first answers are awaited. */
  loading: boolean;
  /** Of a call that did not come back. */
  error: unknown;
  /** refresh asks for everything again. */
  refresh: () => void;
}

const often = 2_000;
const seldom = 10_000;
const some = { page: { size: 50 } };

/** useProgress asks every two seconds for what is not there yet. */
export function useProgress(may: (permission: string) => boolean): Progress {
  const providers = useQuery(ProviderService.method.listProviders, some, until(may(mayListProviders), (d) => d.providers.length > 0));
  const routes = useQuery(RouteService.method.listRoutes, some, until(may(mayListRoutes), (d) => d.routes.length > 0));
  const gateways = useQuery(GatewayService.method.listGateways, some, until(may(mayListGateways), (d) => d.gateways.length > 0));
  const agents = useQuery(GatewayService.method.listAgents, { ...some, filter: "NOT revoked_at:*" }, until(may(mayListAgents), (d) => d.agents.some((a) => a.lastSeenAt)));
  const keys = useQuery(KeyService.method.listKeys, { ...some, filter: "NOT revoked_at:*" }, until(may(mayListKeys), (d) => d.keys.length > 0));
  const requests = useQuery(ReportService.method.listRequests, { size: 1 }, until(may(mayReadReports), (d) => d.requests.length > 0));
  const all = [providers, routes, gateways, agents, keys, requests];
  return {
    providers: providers.data?.providers,
    routes: routes.data?.routes,
    gateways: gateways.data?.gateways,
    agents: agents.data?.agents,
    keys: keys.data?.keys,
    requests: requests.data?.requests,
    loading: all.some((one) => one.isLoading),
    error: all.find((one) => one.error)?.error,
    refresh: () => all.forEach((one) => one.isEnabled && void one.refetch()),
  };
}

/** useHasServed tells whether the organization ever had a request, as it is taken to have where that can't be told; undefined: not known yet. */
export function useHasServed(): boolean | undefined {
  const { data, isError } = useQuery(ReportService.method.listRequests, { size: 1 });
  return isError || (data && data.requests.length > 0);
}

// until asks often for what is not there, and seldom for what is.
function until<T>(enabled: boolean, isThere: (data: T) => boolean) {
  return {
    enabled,
    refetchInterval: ({ state }: { state: { data: T | undefined } }) => (state.data && isThere(state.data) ? seldom : often),
  };
}
