import { useLocation } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { mayListAlerts } from "../../api/alert";
import { mayListGateways } from "../../api/gateway";
import { mayDiff, mayListEvents } from "../../api/history";
import { mayListKeys } from "../../api/key";
import { mayListPriceOverrides, mayListPrices } from "../../api/price";
import { mayListProjects } from "../../api/project";
import { mayGetProvider } from "../../api/provider";
import { mayListQuotas } from "../../api/quota";
import { mayReadReports, mayRunQueries } from "../../api/report";
import { mayListRerates } from "../../api/rerate";
import { mayListRoutes } from "../../api/route";
import { Page } from "../../ui/Page";
import { Empty } from "../../ui/State";
import { useMaySomewhere } from "../session/permission";

// What a page is nothing without: one of these. Those that are not here say themselves what they can't show.
const needs: readonly [path: RegExp, ...permissions: string[]][] = [
  [/^\/$/, mayReadReports],
  [/^\/requests$/, mayReadReports],
  [/^\/routing$/, mayListRoutes],
  [/^\/routing\/providers\//, mayGetProvider],
  [/^\/projects$/, mayListProjects],
  [/^\/keys$/, mayListKeys],
  [/^\/budgets$/, mayListQuotas],
  [/^\/alerts$/, mayListAlerts],
  [/^\/prices$/, mayListPrices, mayListPriceOverrides, mayListRerates],
  [/^\/agents(\/|$)/, mayListGateways],
  [/^\/history$/, mayListEvents],
  [/^\/history\/compare$/, mayDiff],
  [/^\/reports(\/|$)/, mayRunQueries],
];

/** Allowed shows a page to those whose role can read it, and tells others so before anything is asked or offered. */
export function Allowed({ children }: { children: ReactNode }) {
  const { pathname } = useLocation();
  const may = useMaySomewhere();
  const [, ...need] = needs.find(([path]) => path.test(pathname)) ?? [];
  if (need.length === 0 || need.some((permission) => may(permission))) return children;
  return (
    <Page title="Not for your role">
      <Empty title="Your role may not see this page">
        <p>What you may see is in the navigation. An admin of your organization can give you another role.</p>
      </Empty>
    </Page>
  );
}
