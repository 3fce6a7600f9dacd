import type { DescMethod } from "@bufbuild/protobuf";
import { getOption } from "@bufbuild/protobuf";

import { permission } from "../gen/weir/admin/v1/options_pb";

/** permissionOf is what the contract says a caller of this RPC needs: "keys.create". */
export function permissionOf(method: DescMethod): string {
  return getOption(method, permission);
}
