import { mayListAlerts } from "../../api/alert";
import { mayCreateBudget } from "../../api/budget";
import { mayDryRun } from "../../api/diagnostics";
import type { Found, FoundKind } from "../../api/find";
import { mayListGateways } from "../../api/gateway";
import { mayListEvents } from "../../api/history";
import { mayCreateKey, mayListKeys } from "../../api/key";
import { mayCreateLimit } from "../../api/limit";
import { mayListPrices } from "../../api/price";
import { mayListProjects } from "../../api/project";
import { mayCreateProvider } from "../../api/provider";
import { mayListQuotas } from "../../api/quota";
import { mayReadReports, mayRunQueries } from "../../api/report";
import { mayCreateRoute, mayListRoutes } from "../../api/route";

/** Command is where the palette can lead. */
export interface Command {
  /** The address within the console. */
  href: string;
  label: string;
  /** What it is: "Page", "Key". */
  kind: string;
  /** Pressed after g. */
  key?: string;
  /** Absent: everybody's. */
  permission?: string;
}

export const pages: readonly Command[] = [
  { href: "/", label: "Overview", kind: "Page", key: "o", permission: mayReadReports },
  { href: "/requests", label: "Requests", kind: "Page", key: "r", permission: mayReadReports },
  { href: "/routing", label: "Routes and providers", kind: "Page", key: "t", permission: mayListRoutes },
  { href: "/projects", label: "Projects", kind: "Page", key: "j", permission: mayListProjects },
  { href: "/keys", label: "Keys", kind: "Page", key: "k", permission: mayListKeys },
  { href: "/budgets", label: "Budgets and limits", kind: "Page", key: "b", permission: mayListQuotas },
  { href: "/alerts", label: "Alerts", kind: "Page", key: "l", permission: mayListAlerts },
  { href: "/prices", label: "Prices", kind: "Page", key: "c", permission: mayListPrices },
  { href: "/agents", label: "Gateways and agents", kind: "Page", key: "a", permission: mayListGateways },
  { href: "/history", label: "History", kind: "Page", key: "h", permission: mayListEvents },
  { href: "/reports", label: "Reports", kind: "Page", key: "s", permission: mayRunQueries },
  { href: "/people", label: "People and access", kind: "Page", key: "p" },
  { href: "/start", label: "First steps", kind: "Page", key: "f" },
];

export const actions: readonly Command[] = [
  { href: "/keys?create=true", label: "Create key", kind: "Action", permission: mayCreateKey },
  { href: "/routing?create=route", label: "Create route", kind: "Action", permission: mayCreateRoute },
  { href: "/routing?create=provider", label: "Create provider", kind: "Action", permission: mayCreateProvider },
  { href: "/budgets?create=budget", label: "Create budget", kind: "Action", permission: mayCreateBudget },
  { href: "/budgets?create=limit", label: "Create limit", kind: "Action", permission: mayCreateLimit },
  { href: "/routing/dry-run", label: "Run a request dry", kind: "Action", permission: mayDryRun },
];

const kinds: Record<FoundKind, { kind: string; href: (id: string) => string }> = {
  key: { kind: "Key", href: (id) => `/keys?key=${id}` },
  route: { kind: "Route", href: (id) => `/routing?route=${id}` },
  provider: { kind: "Provider", href: (id) => `/routing/providers/${id}` },
  budget: { kind: "Budget", href: (id) => `/budgets?quota=${id}` },
  limit: { kind: "Limit", href: (id) => `/budgets?quota=${id}` },
  project: { kind: "Project", href: (id) => `/projects?project=${id}` },
  gateway: { kind: "Gateway", href: (id) => `/agents/${id}` },
  agent: { kind: "Agent", href: (id) => `/agents?agent=${id}` },
};

/** commandOf leads to a resource. */
export function commandOf({ kind, id, name }: Found): Command {
  return { href: kinds[kind].href(id), label: name, kind: kinds[kind].kind };
}

/** matching are those that have every word that was typed, those that begin with it first. */
export function matching(commands: readonly Command[], typed: string): Command[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = commands.filter(({ label }) => words.every((word) => label.toLowerCase().includes(word)));
  const begins = ({ label }: Command) => (label.toLowerCase().startsWith(words[0] ?? "") ? 0 : 1);
  return fits.sort((a, b) => begins(a) - begins(b));
}

/** permitted are those that the role may follow. */
export function permitted(commands: readonly Command[], may: (permission: string) => boolean): Command[] {
  return commands.filter(({ permission }) => permission === undefined || may(permission));
}
