import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { callUnaryMethod, createConnectQueryKey, useInfiniteQuery, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";

import type { Project } from "../gen/weir/admin/v1/project_pb";
import { ProjectSchema, ProjectService } from "../gen/weir/admin/v1/project_pb";
import type { Names } from "./names";
import { useForgetNames, useNames } from "./names";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { Project } from "../gen/weir/admin/v1/project_pb";

const { createProject, deleteProject, getProject, listProjects, updateProject } = ProjectService.method;

/** ProjectInput is what people choose of a project. */
export type ProjectInput = Pick<Exclude<MessageInitShape<typeof ProjectSchema>, { $typeName: string }>, "name" | "displayName" | "weight">;

/** projectOf is a project as it would be, to be compared. */
export function projectOf(input: ProjectInput): Project {
  return create(ProjectSchema, input);
}

export const mayListProjects = permissionOf(listProjects);
export const mayGetProject = permissionOf(getProject);
export const mayCreateProject = permissionOf(createProject);
export const mayUpdateProject = permissionOf(updateProject);
export const mayDeleteProject = permissionOf(deleteProject);

export function useProjects(enabled = true) {
  return useInfiniteQuery(listProjects, { page: firstPage }, { pageParamKey: "page", getNextPageParam: nextPage, enabled });
}

/** useProject is one project; "" asks for none. Fresh is as it is now, not as it was read a moment ago. */
export function useProject(id: string, fresh = false) {
  return useQuery(getProject, { id }, { enabled: id !== "", ...(fresh && { staleTime: 0 }) });
}

export function useCreateProject() {
  return useMutation(createProject, { onSuccess: useRefreshProjects() });
}

export function useUpdateProject() {
  return useMutation(updateProject, { onSuccess: useRefreshProjects() });
}

/** useDeleteProject archives a project that nothing uses; of what is gone only lists are asked for again. */
export function useDeleteProject() {
  return useMutation(deleteProject, { onSuccess: useRefreshList() });
}

function useRefreshProjects() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const queryKey = createConnectQueryKey({ schema: getProject, transport, cardinality: "finite" });
  const refreshList = useRefreshList();
  return () => Promise.all([queryClient.invalidateQueries({ queryKey }), refreshList()]);
}

function useRefreshList() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const queryKey = createConnectQueryKey({ schema: listProjects, transport, cardinality: "infinite" });
  const forgetNames = useForgetNames("projects");
  return () => Promise.all([queryClient.invalidateQueries({ queryKey }), forgetNames()]);
}

/** useProjectNames says which project an id stands for. */
export function useProjectNames(enabled: boolean): Names {
  return useNames("projects", enabled, async (transport, page, signal) => {
    const { projects, nextPageToken } = await callUnaryMethod(transport, listProjects, { page }, { signal });
    return { items: projects.map(({ id, name, displayName }) => ({ id, name: displayName || name })), nextPageToken };
  });
}
