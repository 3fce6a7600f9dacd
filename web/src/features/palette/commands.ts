import { mayCreateBudget } from "../../api/budget";
import { mayDryRun } from "../../api/diagnostics";
import type { Found, FoundKind } from "../../api/find";
import { mayCreateKey } from "../../api/key";
import { mayCreateLimit } from "../../api/limit";
import { mayCreateProvider } from "../../api/provider";
import { mayCreateRoute } from "../../api/route";
import { destinations } from "../../routes/pages";

/** Command is where the palette can lead. */
export interface Command {
  /** The address within the console. */
  href: string;
  label: string;
  /** What it is: "Page", "Key". */
  kind: string;
  /** It is only for those who have one of these. Absent: everybody's. */
  needs?: readonly string[];
}

export const pages: readonly Command[] = destinations.map(({ path, title, ...page }) => ({ ...page, href: path, label: title, kind: "Page" }));

export const actions: readonly Command[] = [
  { href: "/keys?create=true", label: "Create key", kind: "Action", needs: [mayCreateKey] },
  { href: "/routing?create=route", label: "Create route", kind: "Action", needs: [mayCreateRoute] },
  { href: "/routing?create=provider", label: "Create provider", kind: "Action", needs: [mayCreateProvider] },
  { href: "/budgets?create=budget", label: "Create budget", kind: "Action", needs: [mayCreateBudget] },
  { href: "/budgets?create=limit", label: "Create limit", kind: "Action", needs: [mayCreateLimit] },
  { href: "/routing/dry-run", label: "Run a request dry", kind: "Action", needs: [mayDryRun] },
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
