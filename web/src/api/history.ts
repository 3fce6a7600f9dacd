import type { JsonValue } from "@bufbuild/protobuf";
import { toJson } from "@bufbuild/protobuf";
import type { Value } from "@bufbuild/protobuf/wkt";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { useInfiniteQuery } from "@connectrpc/connect-query";

import { ChangeAction, HistoryService } from "../gen/weir/admin/v1/history_pb";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { FieldChange, ResourceChange } from "../gen/weir/admin/v1/history_pb";
export { ChangeAction };

export const mayDiff = permissionOf(HistoryService.method.diff);

/** useDiff is how everything differs between two versions of the log, which never changes. */
export function useDiff(from: bigint, to: bigint, enabled: boolean) {
  const asOf = (value: bigint) => ({ point: { case: "version" as const, value } });
  return useInfiniteQuery(
    HistoryService.method.diff,
    { from: asOf(from), to: asOf(to), page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage, enabled, staleTime: Infinity },
  );
}

/** jsonOf is a field's value; undefined: it had none. */
export function jsonOf(value: Value | undefined): JsonValue | undefined {
  return value && toJson(ValueSchema, value);
}
