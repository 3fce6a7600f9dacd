import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, toJsonString } from "@bufbuild/protobuf";
import { callUnaryMethod, createConnectQueryKey, useInfiniteQuery, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQuery as useAnyQuery, useQueryClient } from "@tanstack/react-query";

import type { Route } from "../gen/weir/admin/v1/route_pb";
import { Failure, RouteSchema, RouteService, StickyBy, Strategy } from "../gen/weir/admin/v1/route_pb";
import { isUnreachable } from "./error";
import type { Names } from "./names";
import { useNames } from "./names";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { Hedge, Retry, Route, Share, Sticky, Target } from "../gen/weir/admin/v1/route_pb";
export type { Timeouts } from "../gen/weir/admin/v1/common_pb";
export { Failure, RouteSchema, StickyBy, Strategy };

/** RouteInput is what people choose of a route. */
export type RouteInput = Pick<
  Exclude<MessageInitShape<typeof RouteSchema>, { $typeName: string }>,
  "name" | "strategy" | "targets" | "strict" | "sticky" | "hedge" | "canary" | "shadow" | "retry" | "timeouts" | "allowedProjectIds"
>;

/** routeOf is a route as it would be, to be compared. */
export function routeOf(input: RouteInput): Route {
  return create(RouteSchema, input);
}

export const mayListRoutes = permissionOf(RouteService.method.listRoutes);
export const mayCreateRoute = permissionOf(RouteService.method.createRoute);
export const mayUpdateRoute = permissionOf(RouteService.method.updateRoute);

export function useRoutes(enabled = true) {
  return useInfiniteQuery(
    RouteService.method.listRoutes,
    { page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage, enabled },
  );
}

/** useRoute is one route; "" asks for none. Fresh is as it is now, not as it was read a moment ago. */
export function useRoute(id: string, fresh = false) {
  return useQuery(RouteService.method.getRoute, { id }, { enabled: id !== "", ...(fresh && { staleTime: 0 }) });
}

export function useCreateRoute() {
  const onSuccess = useRefreshRoutes();
  return useMutation(RouteService.method.createRoute, { onSuccess });
}

export function useUpdateRoute() {
  const onSuccess = useRefreshRoutes();
  return useMutation(RouteService.method.updateRoute, { onSuccess });
}

/** useRouteCheck is what the server would refuse a route for, if it were saved; nothing is. id is "" of a new one, input undefined asks nothing. */
export function useRouteCheck(id: string, input: RouteInput | undefined, paths: string[]): unknown {
  const transport = useTransport();
  const { error } = useAnyQuery({
    queryKey: ["route check", id, input && toJsonString(RouteSchema, routeOf(input))],
    queryFn: async ({ signal }) => {
      const mutation = { validateOnly: true };
      if (id) await callUnaryMethod(transport, RouteService.method.updateRoute, { route: { ...input, id }, updateMask: { paths }, mutation }, { signal });
      else await callUnaryMethod(transport, RouteService.method.createRoute, { ...input, mutation }, { signal });
      return true;
    },
    enabled: input !== undefined,
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
  });
  return isUnreachable(error) ? undefined : error;
}

function useRefreshRoutes() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const list = createConnectQueryKey({ schema: RouteService.method.listRoutes, transport, cardinality: "infinite" });
  const one = createConnectQueryKey({ schema: RouteService.method.getRoute, transport, cardinality: "finite" });
  return () => Promise.all([list, one].map((queryKey) => queryClient.invalidateQueries({ queryKey })));
}

/** useRouteNames says which route an id stands for. */
export function useRouteNames(enabled: boolean): Names {
  return useNames("routes", enabled, async (transport, page, signal) => {
    const { routes, nextPageToken } = await callUnaryMethod(transport, RouteService.method.listRoutes, { page }, { signal });
    return { items: routes, nextPageToken };
  });
}

const strategies: Record<Strategy, string> = {
  [Strategy.UNSPECIFIED]: "Not stated",
  [Strategy.SINGLE]: "Single",
  [Strategy.WEIGHTED]: "Weighted",
  [Strategy.PRIORITY]: "Priority",
  [Strategy.LATENCY]: "Fastest",
  [Strategy.LEAST_BUSY]: "Least busy",
  [Strategy.CHEAPEST]: "Cheapest",
  [Strategy.STICKY]: "Sticky",
};

/** strategyName names a strategy; one this console does not know yet shows its number. */
export function strategyName(strategy: Strategy): string {
  return (strategies as Record<number, string | undefined>)[strategy] ?? `Strategy ${strategy}`;
}

const sticksBy: Record<StickyBy, string> = {
  [StickyBy.UNSPECIFIED]: "Not stated",
  [StickyBy.HEADER]: "A header",
  [StickyBy.END_USER]: "The end user",
  [StickyBy.PROMPT_PREFIX]: "The beginning of the prompt",
  [StickyBy.KEY]: "The key",
};

/** stickyByName names what requests are alike in; one this console does not know yet shows its number. */
export function stickyByName(by: StickyBy): string {
  return (sticksBy as Record<number, string | undefined>)[by] ?? `Likeness ${by}`;
}

const failures: Record<Failure, string> = {
  [Failure.UNSPECIFIED]: "not stated",
  [Failure.RATE_LIMITED]: "rate limits",
  [Failure.OVERLOADED]: "overload",
  [Failure.UPSTREAM_ERROR]: "upstream errors",
  [Failure.TIMEOUT]: "timeouts",
  [Failure.UNREACHABLE]: "no connection",
  [Failure.CREDENTIAL]: "refused credentials",
  [Failure.CONTEXT_TOO_LONG]: "prompts that are too long",
  [Failure.CONTENT_FILTER]: "content filters",
};

/** usualFailures are those after which another attempt follows where a route names none. */
export const usualFailures: readonly Failure[] = [
  Failure.RATE_LIMITED,
  Failure.OVERLOADED,
  Failure.UPSTREAM_ERROR,
  Failure.TIMEOUT,
  Failure.UNREACHABLE,
];

/** failureName names a kind of failure; one this console does not know yet shows its number. */
export function failureName(failure: Failure): string {
  return (failures as Record<number, string | undefined>)[failure] ?? `failure ${failure}`;
}
