import type { RouterHistory } from "@tanstack/react-router";
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect, stringifySearchWith } from "@tanstack/react-router";

import { Broken } from "../features/shell/Broken";
import { Shell } from "../features/shell/Shell";
import { NotFound } from "../features/shell/NotFound";
import { Loading } from "../ui/State";
import {
  agentsSearch,
  alertsSearch,
  budgetsSearch,
  compareSearch,
  dryRunSearch,
  historySearch,
  keysSearch,
  only,
  overviewSearch,
  pastSearch,
  peopleSearch,
  pricesSearch,
  projectsSearch,
  querySearch,
  reportSearch,
  requestsSearch,
  routingSearch,
} from "./search";

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const overview = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: only(overviewSearch),
  component: lazyRouteComponent(() => import("../features/overview/OverviewPage"), "OverviewPage"),
});

const requests = createRoute({
  getParentRoute: () => root,
  path: "/requests",
  validateSearch: only(requestsSearch),
  component: lazyRouteComponent(() => import("../features/requests/RequestsPage"), "RequestsPage"),
});

const routing = createRoute({
  getParentRoute: () => root,
  path: "/routing",
  validateSearch: only(routingSearch),
  component: lazyRouteComponent(() => import("../features/routing/RoutingPage"), "RoutingPage"),
});

const provider = createRoute({
  getParentRoute: () => root,
  path: "/routing/providers/$providerId",
  component: lazyRouteComponent(() => import("../features/routing/ProviderPage"), "ProviderPage"),
});

const dryRun = createRoute({
  getParentRoute: () => root,
  path: "/routing/dry-run",
  validateSearch: only(dryRunSearch),
  component: lazyRouteComponent(() => import("../features/routing/DryRunPage"), "DryRunPage"),
});

const keys = createRoute({
  getParentRoute: () => root,
  path: "/keys",
  validateSearch: only(keysSearch),
  component: lazyRouteComponent(() => import("../features/keys/KeysPage"), "KeysPage"),
});

const projects = createRoute({
  getParentRoute: () => root,
  path: "/projects",
  validateSearch: only(projectsSearch),
  component: lazyRouteComponent(() => import("../features/projects/ProjectsPage"), "ProjectsPage"),
});

const agents = createRoute({
  getParentRoute: () => root,
  path: "/agents",
  validateSearch: only(agentsSearch),
  component: lazyRouteComponent(() => import("../features/agents/AgentsPage"), "AgentsPage"),
});

const gateway = createRoute({
  getParentRoute: () => root,
  path: "/agents/$gatewayId",
  validateSearch: only(agentsSearch),
  component: lazyRouteComponent(() => import("../features/gateway/GatewayPage"), "GatewayPage"),
});

const budgets = createRoute({
  getParentRoute: () => root,
  path: "/budgets",
  validateSearch: only(budgetsSearch),
  component: lazyRouteComponent(() => import("../features/budgets/BudgetsPage"), "BudgetsPage"),
});

const alerts = createRoute({
  getParentRoute: () => root,
  path: "/alerts",
  validateSearch: only(alertsSearch),
  component: lazyRouteComponent(() => import("../features/alerts/AlertsPage"), "AlertsPage"),
});

const prices = createRoute({
  getParentRoute: () => root,
  path: "/prices",
  validateSearch: only(pricesSearch),
  component: lazyRouteComponent(() => import("../features/prices/PricesPage"), "PricesPage"),
});

const reports = createRoute({
  getParentRoute: () => root,
  path: "/reports",
  component: lazyRouteComponent(() => import("../features/reports/ReportsPage"), "ReportsPage"),
});

const query = createRoute({
  getParentRoute: () => root,
  path: "/reports/query",
  validateSearch: only(querySearch),
  component: lazyRouteComponent(() => import("../features/reports/QueryPage"), "QueryPage"),
});

const report = createRoute({
  getParentRoute: () => root,
  path: "/reports/$reportId",
  validateSearch: only(reportSearch),
  component: lazyRouteComponent(() => import("../features/reports/QueryPage"), "ReportPage"),
});

// Where statements were before there were reports: links to it are about.
const sql = createRoute({
  getParentRoute: () => root,
  path: "/sql",
  validateSearch: only(reportSearch),
  beforeLoad: ({ search }) => {
    throw redirect({ to: "/reports/query", search, replace: true });
  },
});

const history = createRoute({
  getParentRoute: () => root,
  path: "/history",
  validateSearch: only(historySearch),
  component: lazyRouteComponent(() => import("../features/history/HistoryPage"), "HistoryPage"),
});

const past = createRoute({
  getParentRoute: () => root,
  path: "/history/past",
  validateSearch: only(pastSearch),
  component: lazyRouteComponent(() => import("../features/history/PastPage"), "PastPage"),
});

const compare = createRoute({
  getParentRoute: () => root,
  path: "/history/compare",
  validateSearch: only(compareSearch),
  component: lazyRouteComponent(() => import("../features/history/ComparePage"), "ComparePage"),
});

const start = createRoute({
  getParentRoute: () => root,
  path: "/start",
  component: lazyRouteComponent(() => import("../features/start/StartPage"), "StartPage"),
});

const people = createRoute({
  getParentRoute: () => root,
  path: "/people",
  validateSearch: only(peopleSearch),
  component: lazyRouteComponent(() => import("../features/people/PeoplePage"), "PeoplePage"),
});

const routeTree = root.addChildren([
  overview,
  requests,
  routing,
  provider,
  dryRun,
  keys,
  projects,
  budgets,
  alerts,
  prices,
  agents,
  gateway,
  history,
  past,
  compare,
  reports,
  query,
  report,
  sql,
  people,
  start,
]);

const json = /^\s*(?:["[{]|(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*$)/;
const noJson = new SyntaxError("no JSON");

// The router asks of every text in an address whether it would be read as something else, and most are ids, which begin
// like numbers: JSON.parse makes an error for each, which is half of what a link costs.
function readJson(text: string): unknown {
  if (!json.test(text)) throw noJson;
  return JSON.parse(text);
}

/** newRouter routes on a history; the browser's own where none is given. */
export function newRouter(at?: RouterHistory) {
  return createRouter({
    routeTree,
    ...(at && { history: at }),
    defaultPreload: "intent",
    defaultErrorComponent: Broken,
    defaultPendingComponent: () => <Loading what="page" shape="table" />,
    scrollRestoration: true,
    stringifySearch: stringifySearchWith(JSON.stringify, readJson),
  });
}

export type Router = ReturnType<typeof newRouter>;

declare module "@tanstack/react-router" {
  interface Register {
    router: Router;
  }
}
