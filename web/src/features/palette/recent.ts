import type { Command } from "./commands";

const storageKey = "weir.recent";
const most = 5;

/** recentCommands are those that were followed last in this tab, newest first. */
export function recentCommands(): Command[] {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(storageKey) ?? "[]");
    return Array.isArray(stored) ? stored.filter(isCommand).slice(0, most) : [];
  } catch {
    return [];
  }
}

/** remember puts a command first. */
export function remember({ href, label, kind }: Command) {
  const others = recentCommands().filter((one) => one.href !== href);
  try {
    sessionStorage.setItem(storageKey, JSON.stringify([{ href, label, kind }, ...others].slice(0, most)));
  } catch {
    // Storage is blocked: nothing is remembered.
  }
}

function isCommand(value: unknown): value is Command {
  if (typeof value !== "object" || value === null) return false;
  const { href, label, kind } = value as Record<string, unknown>;
  return typeof href === "string" && href.startsWith("/") && !href.startsWith("//") && typeof label === "string" && typeof kind === "string";
}
