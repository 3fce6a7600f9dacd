import type { DescMessage, JsonObject, MessageShape } from "@bufbuild/protobuf";
import { toJson } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import { useInfiniteQuery } from "@tanstack/react-query";

import { AlertChannelSchema, AlertChannelService } from "../gen/weir/admin/v1/alert_channel_pb";
import { BudgetSchema, BudgetService } from "../gen/weir/admin/v1/budget_pb";
import type { AsOf } from "../gen/weir/admin/v1/common_pb";
import { GatewaySchema, GatewayService } from "../gen/weir/admin/v1/gateway_pb";
import { KeySchema, KeyService } from "../gen/weir/admin/v1/key_pb";
import { LimitSchema, LimitService } from "../gen/weir/admin/v1/limit_pb";
import { OrganizationSchema, OrganizationService } from "../gen/weir/admin/v1/organization_pb";
import { PriceOverrideSchema, PriceOverrideService } from "../gen/weir/admin/v1/price_override_pb";
import { ProjectSchema, ProjectService } from "../gen/weir/admin/v1/project_pb";
import { ProviderSchema, ProviderService } from "../gen/weir/admin/v1/provider_pb";
import { RoleBindingSchema, RoleBindingService } from "../gen/weir/admin/v1/role_binding_pb";
import { RouteSchema, RouteService } from "../gen/weir/admin/v1/route_pb";
import { SavedReportSchema, SavedReportService } from "../gen/weir/admin/v1/saved_report_pb";
import { ServiceAccountSchema, ServiceAccountService } from "../gen/weir/admin/v1/service_account_pb";
import { firstPage, nextPage } from "./page";
import { permissionOf } from "./permission";

/** PastThing is a resource as it was. */
export interface PastThing {
  id: string;
  name: string;
  /** As the API's JSON has it. */
  json: JsonObject;
}

interface Asked {
  asOf: { point: AsOf["point"] };
  page: typeof firstPage;
}

interface Answered {
  things: PastThing[];
  nextPageToken: string;
}

/** PastKind is a kind of resource of which the past is known. */
export interface PastKind {
  /** As in the log: "price_override". */
  kind: string;
  /** "Price overrides". */
  label: string;
  permission: string;
  ask: (transport: Transport, asked: Asked, signal: AbortSignal) => Promise<Answered>;
}

// Those of the message and what it is called.
function things<D extends DescMessage>(schema: D, name: (one: MessageShape<D>) => string) {
  return (listed: readonly MessageShape<D>[]): PastThing[] =>
    listed.map((one) => {
      const json = toJson(schema, one) as JsonObject;
      return { id: typeof json.id === "string" ? json.id : "", name: name(one), json };
    });
}

const named = ({ name }: { name: string }) => name;

const routes = things(RouteSchema, named);
const providers = things(ProviderSchema, named);
const projects = things(ProjectSchema, ({ displayName, name }) => displayName || name);
const keys = things(KeySchema, named);
const gateways = things(GatewaySchema, named);
const budgets = things(BudgetSchema, named);
const limits = things(LimitSchema, named);
const priceOverrides = things(PriceOverrideSchema, ({ priceList, model }) => `${priceList} / ${model}`);
const alertChannels = things(AlertChannelSchema, named);
const savedReports = things(SavedReportSchema, named);
const serviceAccounts = things(ServiceAccountSchema, named);
const roleBindings = things(RoleBindingSchema, () => "");
const organizations = things(OrganizationSchema, named);

/** pastKinds are all of them, in the order in which they are offered. */
export const pastKinds: readonly PastKind[] = [
  {
    kind: "route",
    label: "Routes",
    permission: permissionOf(RouteService.method.listRoutes),
    ask: async (transport, asked, signal) => {
      const { routes: listed, nextPageToken } = await createClient(RouteService, transport).listRoutes(asked, { signal });
      return { things: routes(listed), nextPageToken };
    },
  },
  {
    kind: "provider",
    label: "Providers",
    permission: permissionOf(ProviderService.method.listProviders),
    ask: async (transport, asked, signal) => {
      const { providers: listed, nextPageToken } = await createClient(ProviderService, transport).listProviders(asked, { signal });
      return { things: providers(listed), nextPageToken };
    },
  },
  {
    kind: "key",
    label: "Keys",
    permission: permissionOf(KeyService.method.listKeys),
    ask: async (transport, asked, signal) => {
      const { keys: listed, nextPageToken } = await createClient(KeyService, transport).listKeys(asked, { signal });
      return { things: keys(listed), nextPageToken };
    },
  },
  {
    kind: "project",
    label: "Projects",
    permission: permissionOf(ProjectService.method.listProjects),
    ask: async (transport, asked, signal) => {
      const { projects: listed, nextPageToken } = await createClient(ProjectService, transport).listProjects(asked, { signal });
      return { things: projects(listed), nextPageToken };
    },
  },
  {
    kind: "gateway",
    label: "Gateways",
    permission: permissionOf(GatewayService.method.listGateways),
    ask: async (transport, asked, signal) => {
      const { gateways: listed, nextPageToken } = await createClient(GatewayService, transport).listGateways(asked, { signal });
      return { things: gateways(listed), nextPageToken };
    },
  },
  {
    kind: "budget",
    label: "Budgets",
    permission: permissionOf(BudgetService.method.listBudgets),
    ask: async (transport, asked, signal) => {
      const { budgets: listed, nextPageToken } = await createClient(BudgetService, transport).listBudgets(asked, { signal });
      return { things: budgets(listed), nextPageToken };
    },
  },
  {
    kind: "limit",
    label: "Limits",
    permission: permissionOf(LimitService.method.listLimits),
    ask: async (transport, asked, signal) => {
      const { limits: listed, nextPageToken } = await createClient(LimitService, transport).listLimits(asked, { signal });
      return { things: limits(listed), nextPageToken };
    },
  },
  {
    kind: "price_override",
    label: "Price overrides",
    permission: permissionOf(PriceOverrideService.method.listPriceOverrides),
    ask: async (transport, asked, signal) => {
      const { priceOverrides: listed, nextPageToken } = await createClient(PriceOverrideService, transport).listPriceOverrides(asked, { signal });
      return { things: priceOverrides(listed), nextPageToken };
    },
  },
  {
    kind: "alert_channel",
    label: "Alert channels",
    permission: permissionOf(AlertChannelService.method.listAlertChannels),
    ask: async (transport, asked, signal) => {
      const { alertChannels: listed, nextPageToken } = await createClient(AlertChannelService, transport).listAlertChannels(asked, { signal });
      return { things: alertChannels(listed), nextPageToken };
    },
  },
  {
    kind: "saved_report",
    label: "Saved reports",
    permission: permissionOf(SavedReportService.method.listSavedReports),
    ask: async (transport, asked, signal) => {
      const { savedReports: listed, nextPageToken } = await createClient(SavedReportService, transport).listSavedReports(asked, { signal });
      return { things: savedReports(listed), nextPageToken };
    },
  },
  {
    kind: "service_account",
    label: "Service accounts",
    permission: permissionOf(ServiceAccountService.method.listServiceAccounts),
    ask: async (transport, asked, signal) => {
      const { serviceAccounts: listed, nextPageToken } = await createClient(ServiceAccountService, transport).listServiceAccounts(asked, { signal });
      return { things: serviceAccounts(listed), nextPageToken };
    },
  },
  {
    kind: "role_binding",
    label: "Roles on projects",
    permission: permissionOf(RoleBindingService.method.listRoleBindings),
    ask: async (transport, asked, signal) => {
      const { roleBindings: listed, nextPageToken } = await createClient(RoleBindingService, transport).listRoleBindings(asked, { signal });
      return { things: roleBindings(listed), nextPageToken };
    },
  },
  {
    kind: "organization",
    label: "Organization",
    permission: permissionOf(OrganizationService.method.getOrganization),
    ask: async (transport, { asOf }, signal) => {
      const { organization } = await createClient(OrganizationService, transport).getOrganization({ asOf }, { signal });
      if (!organization) throw new ConnectError("the answer has no organization", Code.Internal);
      return { things: organizations([organization]), nextPageToken: "" };
    },
  },
];

/** usePast lists what there was of a kind at a version of the log. That never changes any more. */
export function usePast({ kind, ask }: PastKind, version: bigint | undefined) {
  const transport = useTransport();
  return useInfiniteQuery({
    queryKey: ["past", kind, String(version)],
    queryFn: ({ pageParam, signal }) => ask(transport, { asOf: { point: { case: "version", value: version ?? 0n } }, page: pageParam }, signal),
    initialPageParam: firstPage,
    getNextPageParam: nextPage,
    enabled: version !== undefined,
    staleTime: Infinity,
  });
}
