import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";

import { isCrowded, isLoggedOut, isUnreachable, isWorthRetrying } from "./api/error";

// While the control plane is away: once it is back, what failed shows by itself.
const untilBack = 5_000;

/**
 * newQueryClient holds the server's state. Where any call finds the session gone,
 * everything is asked again, the login first: so the login page appears.
 */
export function newQueryClient(): QueryClient {
  const onError = (error: unknown) => {
    if (isLoggedOut(error)) void client.invalidateQueries({ refetchType: "active", predicate: isFine });
  };
  const client = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        retry: (failures, error) => (isCrowded(error) ? failures < 10 : failures < 2 && isWorthRetrying(error)),
        refetchInterval: ({ state, options }) => (state.status === "error" && isUnreachable(state.error) && options.retry !== false ? untilBack : false),
        retryDelay: (failures, error) => (isCrowded(error) ? 200 + Math.random() * 400 : 1_000 * 2 ** failures),
      },
    },
  });
  return client;
}

// Queries that already failed would only fail, report and ask again for ever.
function isFine(query: { state: { status: string; error: unknown } }): boolean {
  return query.state.error === null;
}
