import { useInfiniteQuery } from "@connectrpc/connect-query";

import { ProjectService } from "../gen/weir/admin/v1/project_pb";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { Project } from "../gen/weir/admin/v1/project_pb";

export const mayListProjects = permissionOf(ProjectService.method.listProjects);

export function useProjects(enabled = true) {
  return useInfiniteQuery(
    ProjectService.method.listProjects,
    { page: firstPage },
    { pageParamKey: "page", getNextPageParam: nextPage, enabled },
  );
}
