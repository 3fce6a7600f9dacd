import type { Router } from "./router";

// Which pages there are. The router says what each is made of; the navigation, the palette, the
// keyboard and the guard of roles all go by this. Permissions stand here as the API has them, so
// that nobody loads the services of all pages to see one.

/** The addresses that show something: /sql only leads on. */
export type PagePath = Exclude<keyof Router["routesByPath"], "/sql">;

/** Part is a page that is reached from another. */
interface Part {
  /** It is nothing without one of these. Absent: everybody's, and it says itself what it can't show. */
  needs?: readonly string[];
}

/** Page is one that people go to by its name. */
export interface Page extends Part {
  /** As its heading has it. */
  title: string;
  /** Pressed after g. */
  key: string;
  /** Absent: it is not in the navigation. The icon is a path within 20 by 20. */
  nav?: { label: string; icon: string };
}

type Destination = Exclude<PagePath, `${string}$${string}`>;

export const pages: Readonly<Record<PagePath, Part | Page>> = {
  "/": { title: "Overview", key: "o", needs: ["reports.read"], nav: { label: "Overview", icon: "M3 17V9m5 8V4m5 13v-6m4 6V7" } },
  "/requests": { title: "Requests", key: "r", needs: ["reports.read"], nav: { label: "Requests", icon: "M3 5h14M3 10h14M3 15h9" } },
  "/routing": { title: "Routes and providers", key: "t", needs: ["routes.list"], nav: { label: "Routes", icon: "M3 10h5l4-5h5M8 10l4 5h5" } },
  "/routing/providers/$providerId": { needs: ["providers.get"] },
  "/routing/dry-run": {},
  "/projects": {
    title: "Projects",
    key: "j",
    needs: ["projects.list"],
    nav: { label: "Projects", icon: "M3 6.5V15a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1V7.5a1 1 0 0 0-1-1h-6.5L8 4.5H4a1 1 0 0 0-1 1z" },
  },
  "/keys": {
    title: "Keys",
    key: "k",
    needs: ["keys.list"],
    nav: { label: "Keys", icon: "M12.5 11.5a4 4 0 1 0-4-4c0 .8.2 1.5.6 2.1L3 15.7V17h3l.5-2h2l.5-2 1.4-1.9c.6.3 1.3.4 2.1.4z" },
  },
  "/budgets": { title: "Budgets and limits", key: "b", needs: ["quotas.list"], nav: { label: "Budgets", icon: "M3 13a7 7 0 0 1 14 0M10 13l3.5-4M3 16h14" } },
  "/alerts": { title: "Alerts", key: "l", needs: ["alerts.list"] },
  "/prices": { title: "Prices", key: "c", needs: ["prices.list", "price_overrides.list", "rerates.list"] },
  "/agents": { title: "Gateways and agents", key: "a", needs: ["gateways.list"], nav: { label: "Agents", icon: "M4 4h12v5H4zM4 11h12v5H4zM7 6.5h.1M7 13.5h.1" } },
  "/agents/$gatewayId": { needs: ["gateways.list"] },
  "/history": { title: "History", key: "h", needs: ["history.list"], nav: { label: "History", icon: "M10 5.5V10l3 2M3.6 7.2A7 7 0 1 1 3 10M3 4v3.5h3.5" } },
  "/history/past": {},
  "/history/compare": { needs: ["history.diff"] },
  "/reports": { title: "Reports", key: "s", needs: ["reports.query"], nav: { label: "Reports", icon: "M4 5l4 4-4 4M10 14h6" } },
  "/reports/query": { needs: ["reports.query"] },
  "/reports/$reportId": { needs: ["reports.query"] },
  "/people": {
    title: "People and access",
    key: "p",
    nav: { label: "People", icon: "M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 17c0-3 2.3-5 5.5-5s5.5 2 5.5 5M13 3.8a3 3 0 0 1 0 5.4M15 12.5c2 .7 3 2.3 3 4.5" },
  },
  "/start": { title: "First steps", key: "f" },
};

/** destinations are the pages that have names, in the order in which they are offered. */
export const destinations = Object.entries(pages).flatMap(([path, page]) => ("title" in page ? [{ ...page, path: path as Destination }] : []));

/** isOpenTo tells whether a role's permissions are enough to read a page. */
export function isOpenTo({ needs }: Part, may: (permission: string) => boolean): boolean {
  return needs === undefined || needs.some(may);
}
