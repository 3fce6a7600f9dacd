import { mayListGateways, useGatewayNames } from "../../api/gateway";
import { mayListKeys, useKeyNames } from "../../api/key";
import { mayListMembers, useMemberNames } from "../../api/member";
import { mayListProjects, useProjectNames } from "../../api/project";
import { mayListProviders, useProviderNames } from "../../api/provider";
import { mayListServiceAccounts, useServiceAccountNames } from "../../api/serviceAccount";
import { useMay } from "../session/permission";
import type { LogNames } from "./words";

/** useLogNames says who and what the ids in the log stand for today, as far as the role may know. */
export function useLogNames(): LogNames {
  const may = useMay();
  const lists = [
    useMemberNames(may(mayListMembers)),
    useServiceAccountNames(may(mayListServiceAccounts)),
    useProjectNames(may(mayListProjects)),
    useProviderNames(may(mayListProviders)),
    useKeyNames(may(mayListKeys)),
    useGatewayNames(may(mayListGateways)),
  ];
  return new Map(lists.flatMap((names) => [...(names ?? [])]));
}
