import { useInfiniteQuery } from "@connectrpc/connect-query";

import { PriceOverrideService } from "../gen/weir/admin/v1/price_override_pb";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { PriceOverride, Rates } from "../gen/weir/admin/v1/price_override_pb";

const { listPriceOverrides } = PriceOverrideService.method;

export const mayListPriceOverrides = permissionOf(listPriceOverrides);

/** usePriceOverrides lists what the organization pays where that is not what the built-in book says. */
export function usePriceOverrides() {
  return useInfiniteQuery(listPriceOverrides, { page: firstPage }, { pageParamKey: "page", getNextPageParam: nextPage });
}
