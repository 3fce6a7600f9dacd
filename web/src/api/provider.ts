import { callUnaryMethod, useInfiniteQuery } from "@connectrpc/connect-query";

import { Dialect, ProviderService } from "../gen/weir/admin/v1/provider_pb";
import type { Names } from "./names";
import { useNames } from "./names";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { Provider } from "../gen/weir/admin/v1/provider_pb";

export const mayListProviders = permissionOf(ProviderService.method.listProviders);

export function useProviders(enabled = true) {
  return useInfiniteQuery(
    ProviderService.method.listProviders,
    { page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage, enabled },
  );
}

/** useProviderNames says which provider an id stands for. */
export function useProviderNames(enabled: boolean): Names {
  return useNames("providers", enabled, async (transport, page, signal) => {
    const { providers, nextPageToken } = await callUnaryMethod(transport, ProviderService.method.listProviders, { page }, { signal });
    return { items: providers, nextPageToken };
  });
}

const dialects: Record<Dialect, string> = {
  [Dialect.UNSPECIFIED]: "Not stated",
  [Dialect.OPENAI]: "OpenAI",
  [Dialect.OPENAI_COMPATIBLE]: "OpenAI-compatible",
  [Dialect.ANTHROPIC]: "Anthropic",
};

/** dialectName names a dialect; one this console does not know yet shows its number. */
export function dialectName(dialect: Dialect): string {
  return (dialects as Record<number, string | undefined>)[dialect] ?? `Dialect ${dialect}`;
}
