import { callUnaryMethod, useInfiniteQuery } from "@connectrpc/connect-query";

import { ProjectService } from "../gen/weir/admin/v1/project_pb";
import type { Names } from "./names";
import { useNames } from "./names";
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

/** useProjectNames says which project an id stands for. */
export function useProjectNames(enabled: boolean): Names {
  return useNames("projects", enabled, async (transport, page, signal) => {
    const { projects, nextPageToken } = await callUnaryMethod(transport, ProjectService.method.listProjects, { page }, { signal });
    return { items: projects.map(({ id, name, displayName }) => ({ id, name: displayName || name })), nextPageToken };
  });
}
