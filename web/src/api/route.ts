import { useInfiniteQuery } from "@connectrpc/connect-query";

import { RouteService, Strategy } from "../gen/weir/admin/v1/route_pb";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { Route } from "../gen/weir/admin/v1/route_pb";

export const mayListRoutes = permissionOf(RouteService.method.listRoutes);

export function useRoutes(enabled = true) {
  return useInfiniteQuery(
    RouteService.method.listRoutes,
    { page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage, enabled },
  );
}

const strategies: Record<Strategy, string> = {
  [Strategy.UNSPECIFIED]: "Not stated",
  [Strategy.SINGLE]: "Single",
  [Strategy.WEIGHTED]: "Weighted",
  [Strategy.PRIORITY]: "Priority",
};

/** strategyName names a strategy; one this console does not know yet shows its number. */
export function strategyName(strategy: Strategy): string {
  return (strategies as Record<number, string | undefined>)[strategy] ?? `Strategy ${strategy}`;
}
