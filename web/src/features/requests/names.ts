import { mayListGateways, useGatewayNames } from "../../api/gateway";
import { mayListKeys, useKeyNames } from "../../api/key";
import type { Names } from "../../api/names";
import { mayListProjects, useProjectNames } from "../../api/project";
import { mayListQuotas, useQuotaNames } from "../../api/quota";
import { useMay } from "../session/permission";

export interface RequestNames {
  keys: Names;
  projects: Names;
  gateways: Names;
  /** Budgets and limits. */
  quotas: Names;
}

/** useRequestNames knows the names behind the ids of requests, as far as the role may. */
export function useRequestNames(): RequestNames {
  const may = useMay();
  return {
    keys: useKeyNames(may(mayListKeys)),
    projects: useProjectNames(may(mayListProjects)),
    gateways: useGatewayNames(may(mayListGateways)),
    quotas: useQuotaNames(may(mayListQuotas)),
  };
}
