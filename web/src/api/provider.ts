import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { callUnaryMethod, createConnectQueryKey, useInfiniteQuery, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQuery as usePlainQuery, useQueryClient } from "@tanstack/react-query";

import type { Provider } from "../gen/weir/admin/v1/provider_pb";
import { Dialect, ProviderSchema, ProviderService } from "../gen/weir/admin/v1/provider_pb";
import type { Names } from "./names";
import { useForgetNames, useNames } from "./names";
import { firstPage, nextPage, readAll } from "./page";
import { permissionOf } from "./permission";

export type { Provider } from "../gen/weir/admin/v1/provider_pb";
export { Dialect } from "../gen/weir/admin/v1/provider_pb";

/** ProviderInput is what people choose of a provider. */
export type ProviderInput = Omit<Exclude<MessageInitShape<typeof ProviderSchema>, { $typeName: string }>, "id" | "etag" | "$typeName" | "$unknown">;

/** providerOf is a provider as it would be, to be compared. */
export function providerOf(input: ProviderInput): Provider {
  return create(ProviderSchema, input);
}

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
  const list = createConnectQueryKey({ schema: ProviderService.method.listProviders, transport, cardinality: "infinite" });
  const one = createConnectQueryKey({ schema: ProviderService.method.getProvider, transport, cardinality: "finite" });
  const forgetNames = useForgetNames("providers");
  return () => Promise.all([...[list, one].map((queryKey) => queryClient.invalidateQueries({ queryKey })), forgetNames()]);
}

/** useProvider is one provider; "" asks for none. Fresh is as it is now, not as it was read a moment ago. */
export function useProvider(id: string, fresh = false) {
  return useQuery(ProviderService.method.getProvider, { id }, { enabled: id !== "", ...(fresh && { staleTime: 0 }) });
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

const allProviders = ["all providers"];

/** useAllProviders are all providers by their ids, at most 2,000; undefined until they are there. */
export function useAllProviders(enabled: boolean): ReadonlyMap<string, Provider> | undefined {
  const transport = useTransport();
  const { data } = usePlainQuery({
    queryKey: allProviders,
    queryFn: ({ signal }) =>
      readAll(async (page) => {
        const { providers, nextPageToken } = await callUnaryMethod(transport, ProviderService.method.listProviders, { page }, { signal });
        return { items: providers, nextPageToken };
      }),
    enabled,
    staleTime: 30_000,
  });
  return data;
}
