import { mayListKeys, useKeyNames } from "../../api/key";
import type { Names } from "../../api/names";
import { mayListProjects, useProjectNames } from "../../api/project";
import { mayListProviders, useProviderNames } from "../../api/provider";
import { mayListRoutes, useRouteNames } from "../../api/route";
import { useMay } from "../session/permission";

export interface ScopeNames {
  projects: Names;
  keys: Names;
  routes: Names;
  providers: Names;
}

/** useScopeNames knows what quotas are about, as far as the role may. */
export function useScopeNames(): ScopeNames {
  const may = useMay();
  return {
    projects: useProjectNames(may(mayListProjects)),
    keys: useKeyNames(may(mayListKeys)),
    routes: useRouteNames(may(mayListRoutes)),
    providers: useProviderNames(may(mayListProviders)),
  };
}
