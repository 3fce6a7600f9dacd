import { createConnectQueryKey, useMutation, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";

import { Role } from "../gen/weir/admin/v1/common_pb";
import { SessionService } from "../gen/weir/admin/v1/session_pb";

export type { Session, WhoAmIResponse } from "../gen/weir/admin/v1/session_pb";

/** useWhoAmI is the login: an `unauthenticated` error means there is none. */
export function useWhoAmI() {
  return useQuery(SessionService.method.whoAmI, {}, { staleTime: 60_000 });
}

/** useSessions are the viewer's own logins, the newest first. */
export function useSessions() {
  return useQuery(SessionService.method.listSessions, {});
}

export function useRevokeSession() {
  return useMutation(SessionService.method.revokeSession, { onSettled: useRefreshSessions() });
}

/** useRevokeOtherSessions ends all of the viewer's logins but this one. */
export function useRevokeOtherSessions() {
  const { mutate, ...rest } = useMutation(SessionService.method.revokeAllSessions, { onSettled: useRefreshSessions() });
  return { ...rest, submit: (done: () => void) => mutate({ keepCurrent: true }, { onSuccess: done }) };
}

function useRefreshSessions() {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const queryKey = createConnectQueryKey({ schema: SessionService.method.listSessions, transport, cardinality: "finite" });
  return () => queryClient.invalidateQueries({ queryKey });
}

export { Role };

const roles: Record<Role, string> = {
  [Role.UNSPECIFIED]: "No role",
  [Role.OWNER]: "Owner",
  [Role.ADMIN]: "Admin",
  [Role.OPERATOR]: "Operator",
  [Role.ANALYST]: "Analyst",
  [Role.VIEWER]: "Viewer",
  [Role.PROJECTS_ONLY]: "Projects only",
};

export function roleName(role: Role): string {
  return roles[role];
}

/** Where the browser goes to log in, coming back to a path of this console. */
export function loginUrl(returnTo: string): string {
  return `/auth/login?return_to=${encodeURIComponent(returnTo)}`;
}

export const logoutUrl = "/auth/logout";
