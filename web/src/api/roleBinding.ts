import { createConnectQueryKey, useInfiniteQuery, useMutation, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";

import { RoleBindingService } from "../gen/weir/admin/v1/role_binding_pb";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

export type { RoleBinding } from "../gen/weir/admin/v1/role_binding_pb";

const { listRoleBindings, createRoleBinding, deleteRoleBinding } = RoleBindingService.method;

export const mayListRoleBindings = permissionOf(listRoleBindings);
export const mayCreateRoleBinding = permissionOf(createRoleBinding);
export const mayDeleteRoleBinding = permissionOf(deleteRoleBinding);

/** useRoleBindings are the roles on projects of one member or service account; "" of all. */
export function useRoleBindings(principalId: string, enabled: boolean) {
  return useInfiniteQuery(
    listRoleBindings,
    { page: firstPage, principalId },
    { pageParamKey: "page", getNextPageParam: nextPage, enabled },
  );
}

export function useCreateRoleBinding() {
  return useMutation(createRoleBinding, { onSettled: useRefreshBindings() });
}

export function useDeleteRoleBinding() {
  return useMutation(deleteRoleBinding, { onSettled: useRefreshBindings() });
}

function useRefreshBindings() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const queryKey = createConnectQueryKey({ schema: listRoleBindings, transport, cardinality: "infinite" });
  return () => queryClient.invalidateQueries({ queryKey });
}
