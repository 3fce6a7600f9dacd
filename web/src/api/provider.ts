import { callUnaryMethod, createConnectQueryKey, useInfiniteQuery, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";

import { Dialect, ProviderService } from "../gen/weir/admin/v1/provider_pb";
import type { Names } from "./names";
import { useForgetNames, useNames } from "./names";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { Provider } from "../gen/weir/admin/v1/provider_pb";
export { Dialect } from "../gen/weir/admin/v1/provider_pb";

export const mayGetProvider = permissionOf(ProviderService.method.getProvider);
export const mayListProviders = permissionOf(ProviderService.method.listProviders);
export const mayCreateProvider = permissionOf(ProviderService.method.createProvider);
export const mayUpdateProvider = permissionOf(ProviderService.method.updateProvider);

export function useProviders(enabled = true) {
  return useInfiniteQuery(
    ProviderService.method.listProviders,
    { page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage, enabled },
  );
}

export function useCreateProvider() {
  const onSuccess = useRefreshProviders();
  return useMutation(ProviderService.method.createProvider, { onSuccess });
}

export function useUpdateProvider() {
  const onSuccess = useRefreshProviders();
  return useMutation(ProviderService.method.updateProvider, { onSuccess });
}

function useRefreshProviders() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const queryKey = createConnectQueryKey({ schema: ProviderService.method.listProviders, transport, cardinality: "infinite" });
  const forgetNames = useForgetNames("providers");
  return () => Promise.all([queryClient.invalidateQueries({ queryKey }), forgetNames()]);
}

export function useProvider(id: string) {
  return useQuery(ProviderService.method.getProvider, { id });
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
  [Dialect.GEMINI]: "Gemini",
  [Dialect.AZURE_OPENAI]: "Azure OpenAI",
  [Dialect.BEDROCK]: "Amazon Bedrock",
  [Dialect.VERTEX]: "Vertex AI",
};

/** dialectName names a dialect; one this console does not know yet shows its number. */
export function dialectName(dialect: Dialect): string {
  return (dialects as Record<number, string | undefined>)[dialect] ?? `Dialect ${dialect}`;
}
