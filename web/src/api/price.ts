import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { callUnaryMethod, createConnectQueryKey, useInfiniteQuery, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { keepPreviousData, useQueryClient } from "@tanstack/react-query";

import type { ImportPricesResponse, PriceOverride } from "../gen/weir/admin/v1/price_override_pb";
import { ImportedPrice_Change, LongContext, PriceCandidate_Standing, PriceOverrideSchema, PriceOverrideService } from "../gen/weir/admin/v1/price_override_pb";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type {
  Factor,
  GetPriceResponse,
  ImportedPrice,
  ImportPricesResponse,
  NotImported,
  Price,
  PriceCandidate,
  PriceOverride,
  Rates,
  RegionFactor,
  ServiceTierRates,
} from "../gen/weir/admin/v1/price_override_pb";
export { ImportedPrice_Change as Change, LongContext, PriceCandidate_Standing as Standing };

/** PriceInput is what people choose of a price of their own. */
export type PriceInput = Omit<Exclude<MessageInitShape<typeof PriceOverrideSchema>, { $typeName: string }>, "id" | "etag" | "createdAt" | "$typeName" | "$unknown">;

/** priceOverrideOf is a price of one's own as it would be, to be compared. */
export function priceOverrideOf(input: PriceInput): PriceOverride {
  return create(PriceOverrideSchema, input);
}

const { createPriceOverride, deletePriceOverride, getPrice, getPriceOverride, importPrices, listPriceOverrides, listPrices, updatePriceOverride } =
  PriceOverrideService.method;

export const mayListPriceOverrides = permissionOf(listPriceOverrides);
export const mayGetPriceOverride = permissionOf(getPriceOverride);
export const mayListPrices = permissionOf(listPrices);
export const mayGetPrice = permissionOf(getPrice);
export const mayCreatePriceOverride = permissionOf(createPriceOverride);
export const mayUpdatePriceOverride = permissionOf(updatePriceOverride);
export const mayDeletePriceOverride = permissionOf(deletePriceOverride);
export const mayImportPrices = permissionOf(importPrices);

/** usePriceOverrides lists what the organization pays where that is not what the built-in book says. */
export function usePriceOverrides() {
  return useInfiniteQuery(listPriceOverrides, { page: firstPage }, { pageParamKey: "page", getNextPageParam: nextPage });
}

/** usePriceOverride is one of them as it is now; "" asks for none. */
export function usePriceOverride(id: string, fresh = false) {
  return useQuery(getPriceOverride, { id }, { enabled: id !== "", ...(fresh && { staleTime: 0 }) });
}

/** PriceMoment is for which requests prices are asked, and as the organization had them when. */
export interface PriceMoment {
  /** When requests begin. */
  at: Date;
  /** As the prices were at that time, or version of the history. Absent: as they are now. */
  asOf?: Date | bigint | undefined;
}

function momentInput({ at, asOf }: PriceMoment) {
  const effectiveAt = timestampFromDate(at);
  if (asOf === undefined) return { effectiveAt };
  const point = typeof asOf === "bigint" ? ({ case: "version", value: asOf } as const) : ({ case: "time", value: timestampFromDate(asOf) } as const);
  return { effectiveAt, asOf: { point } };
}

/** usePrices lists the prices that count at a moment, of each model, price list and provider one; filter is an AIP-160 expression, "": all. */
export function usePrices(moment: PriceMoment, filter: string, enabled: boolean) {
  return useInfiniteQuery(
    listPrices,
    { ...momentInput(moment), filter, page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage, placeholderData: keepPreviousData, enabled },
  );
}

/** PricedModel is a model of one provider, or of all that have a price list. */
export interface PricedModel {
  model: string;
  /** "": none, so the list counts. */
  providerId: string;
  priceList: string;
}

/** usePrice is what prices a model at a moment, and what else there is for it. */
export function usePrice({ model, providerId, priceList }: PricedModel, moment: PriceMoment, enabled = true) {
  const subject = providerId ? { providerId } : { priceList };
  return useQuery(
    getPrice,
    { ...subject, model, ...momentInput(moment) },
    { enabled: enabled && model !== "" && (providerId !== "" || priceList !== ""), placeholderData: keepPreviousData },
  );
}

export function useCreatePriceOverride() {
  return useMutation(createPriceOverride, { onSuccess: useRefreshPrices() });
}

export function useUpdatePriceOverride() {
  return useMutation(updatePriceOverride, { onSuccess: useRefreshPrices() });
}

export function useDeletePriceOverride() {
  return useMutation(deletePriceOverride, { onSuccess: useRefreshPrices() });
}

/** ImportPart is a part of a price file that fits into one request. */
export interface ImportPart {
  litellm: string;
  lists: { litellmProvider: string; priceList: string }[];
}

/** useImportPart says what a part of a file would do, or does it under a name of the request. */
export function useImportPart(): (part: ImportPart, requestId: string | undefined) => Promise<ImportPricesResponse> {
  const transport = useTransport();
  return (part, requestId) =>
    callUnaryMethod(transport, importPrices, { ...part, mutation: requestId === undefined ? { validateOnly: true } : { requestId } });
}

/** useRefreshPrices makes everything about prices be asked for again. */
export function useRefreshPrices() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const keys = [
    createConnectQueryKey({ schema: listPrices, transport, cardinality: "infinite" }),
    createConnectQueryKey({ schema: listPriceOverrides, transport, cardinality: "infinite" }),
    createConnectQueryKey({ schema: getPrice, transport, cardinality: "finite" }),
    createConnectQueryKey({ schema: getPriceOverride, transport, cardinality: "finite" }),
  ];
  return () => Promise.all(keys.map((queryKey) => queryClient.invalidateQueries({ queryKey })));
}
