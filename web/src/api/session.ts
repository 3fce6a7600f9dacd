import { useQuery } from "@connectrpc/connect-query";

import { Role } from "../gen/weir/admin/v1/common_pb";
import { SessionService } from "../gen/weir/admin/v1/session_pb";

export type { WhoAmIResponse } from "../gen/weir/admin/v1/session_pb";

/** useWhoAmI is the login: an `unauthenticated` error means there is none. */
export function useWhoAmI() {
  return useQuery(SessionService.method.whoAmI, {}, { staleTime: 60_000 });
}

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
