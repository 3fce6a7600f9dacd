import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { createMemoryHistory } from "@tanstack/react-router";
import { render } from "@testing-library/react";

import { App } from "../app";
import { Role } from "../gen/weir/admin/v1/common_pb";
import { SessionService } from "../gen/weir/admin/v1/session_pb";
import { newQueryClient } from "../query";
import { newRouter } from "../routes/router";

export const everything = [
  "alert_channels.create",
  "alert_channels.delete",
  "alert_channels.get",
  "alert_channels.list",
  "alert_channels.test",
  "alert_channels.update",
  "alert_deliveries.list",
  "alert_deliveries.retry",
  "alerts.list",
  "alerts.test",
  "budgets.create",
  "budgets.delete",
  "budgets.get",
  "budgets.list",
  "budgets.raise",
  "budgets.update",
  "diagnostics.dry_run",
  "diagnostics.test_provider",
  "gateways.get",
  "gateways.list",
  "gateways.revoke_agent",
  "gateways.update",
  "history.diff",
  "history.export",
  "history.get",
  "history.list",
  "history.revert",
  "history.watch",
  "join_domains.list",
  "join_domains.remove",
  "join_domains.set",
  "keys.create",
  "keys.get",
  "keys.list",
  "keys.revoke",
  "keys.rotate",
  "keys.update",
  "members.erase",
  "members.get",
  "members.invite",
  "members.list",
  "members.remove",
  "members.update",
  "limits.create",
  "limits.delete",
  "limits.get",
  "limits.list",
  "limits.update",
  "price_overrides.create",
  "price_overrides.delete",
  "price_overrides.get",
  "price_overrides.import",
  "price_overrides.list",
  "price_overrides.update",
  "prices.get",
  "prices.list",
  "projects.create",
  "projects.delete",
  "projects.get",
  "projects.list",
  "projects.update",
  "providers.create",
  "providers.get",
  "providers.list",
  "providers.update",
  "quotas.get",
  "quotas.history",
  "quotas.list",
  "quotas.release",
  "quotas.write_off",
  "reports.query",
  "reports.read",
  "reports.save",
  "role_bindings.create",
  "role_bindings.delete",
  "role_bindings.list",
  "rerates.create",
  "rerates.get",
  "rerates.list",
  "routes.create",
  "rollouts.get",
  "rollouts.go_back",
  "rollouts.go_forward",
  "rollouts.hold",
  "rollouts.list",
  "rollouts.promote",
  "rollouts.resume",
  "routes.list",
  "routes.update",
  "service_accounts.create",
  "service_accounts.delete",
  "service_accounts.list",
  "service_accounts.revoke",
  "service_accounts.update",
  "sessions.list",
  "sessions.revoke",
];

/** openConsole renders the whole console at a path, on services that a test gives. */
export function openConsole(path: string, services: (router: ConnectRouter) => void, permissions = everything) {
  const transport = createRouterTransport((router) => {
    router.rpc(SessionService.method.whoAmI, () => ({
      kind: "member",
      id: "me",
      display: "ada@example.com",
      organizationName: "Demo",
      role: Role.OWNER,
      permissions,
    }));
    services(router);
  });
  const router = newRouter(createMemoryHistory({ initialEntries: [path] }));
  render(<App transport={transport} queryClient={newQueryClient()} router={router} />);
  return router;
}

/** openLoggedOut renders the console for somebody without a session. */
export function openLoggedOut(path: string) {
  const transport = createRouterTransport((router) => {
    router.rpc(SessionService.method.whoAmI, () => {
      throw new ConnectError("no session", Code.Unauthenticated);
    });
  });
  const router = newRouter(createMemoryHistory({ initialEntries: [path] }));
  render(<App transport={transport} queryClient={newQueryClient()} router={router} />);
}

/** refuse answers a call with an error that no retry changes. */
export function refuse(): never {
  throw new ConnectError("needs another role", Code.PermissionDenied);
}

/** stall never answers. */
export function stall(): Promise<never> {
  return new Promise(() => undefined);
}
