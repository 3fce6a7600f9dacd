import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";

import { BudgetService } from "../gen/weir/admin/v1/budget_pb";
import { GatewayService } from "../gen/weir/admin/v1/gateway_pb";
import { KeyService } from "../gen/weir/admin/v1/key_pb";
import { LimitService } from "../gen/weir/admin/v1/limit_pb";
import { ProjectService } from "../gen/weir/admin/v1/project_pb";
import { ProviderService } from "../gen/weir/admin/v1/provider_pb";
import { RouteService } from "../gen/weir/admin/v1/route_pb";
import { permissionOf } from "./permission";

export type FoundKind = "key" | "route" | "provider" | "budget" | "limit" | "project" | "gateway" | "agent";

/** Found is a resource whose name contains what was looked for. */
export interface Found {
  kind: FoundKind;
  id: string;
  name: string;
}

const each = 5;

/** useFind looks for resources by a part of their name, five of each kind that the role may list; "" finds nothing. */
export function useFind(text: string, may: (permission: string) => boolean): { found: Found[]; searching: boolean } {
  const request = { page: { size: each }, filter: `name:${quoted(text)}` };
  const asked = <T>(method: Parameters<typeof permissionOf>[0], select: (data: T) => Found[]) => ({
    enabled: text !== "" && may(permissionOf(method)),
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    retry: false,
    select,
  });
  const { listKeys } = KeyService.method;
  const { listRoutes } = RouteService.method;
  const { listProviders } = ProviderService.method;
  const { listBudgets } = BudgetService.method;
  const { listLimits } = LimitService.method;
  const { listProjects } = ProjectService.method;
  const { listGateways, listAgents } = GatewayService.method;
  const all = [
    useQuery(listKeys, request, asked(listKeys, (d: { keys: Named[] }) => of("key", d.keys))),
    useQuery(listRoutes, request, asked(listRoutes, (d: { routes: Named[] }) => of("route", d.routes))),
    useQuery(listProviders, request, asked(listProviders, (d: { providers: Named[] }) => of("provider", d.providers))),
    useQuery(listBudgets, request, asked(listBudgets, (d: { budgets: Named[] }) => of("budget", d.budgets))),
    useQuery(listLimits, request, asked(listLimits, (d: { limits: Named[] }) => of("limit", d.limits))),
    useQuery(listProjects, request, asked(listProjects, (d: { projects: Named[] }) => of("project", d.projects))),
    useQuery(listGateways, request, asked(listGateways, (d: { gateways: Named[] }) => of("gateway", d.gateways))),
    useQuery(listAgents, request, asked(listAgents, (d: { agents: Named[] }) => of("agent", d.agents))),
  ];
  return { found: text === "" ? [] : all.flatMap(({ data }) => data ?? []), searching: all.some((one) => one.isFetching) };
}

interface Named {
  id: string;
  name: string;
}

function of(kind: FoundKind, items: readonly Named[]): Found[] {
  return items.map(({ id, name }) => ({ kind, id, name }));
}

/** quoted is a text as the API's filters write it (AIP-160). */
export function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
