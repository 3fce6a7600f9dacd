import { createConnectQueryKey, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";

import { EndUsers, OrganizationService } from "../gen/weir/admin/v1/organization_pb";

export type { LabelRule, Organization } from "../gen/weir/admin/v1/organization_pb";
export { EndUsers };

/** useOrganization is the viewer's own. */
export function useOrganization() {
  return useQuery(OrganizationService.method.getOrganization, {});
}

export function useUpdateOrganization() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const queryKey = createConnectQueryKey({ schema: OrganizationService.method.getOrganization, transport, cardinality: "finite" });
  return useMutation(OrganizationService.method.updateOrganization, { onSuccess: () => queryClient.invalidateQueries({ queryKey }) });
}
