import { ConnectError } from "@connectrpc/connect";

import { violationsOf } from "./error";

/** Problems say what the server refused a field for, by its path; those of list items are the list's. */
export type Problems = (field: string) => string | undefined;

// "scope.project_id: no project 0198…": how what is not there is said.
const named = /^([a-z_]+(?:\.[a-z_]+)*)(?:\[\d+\])?: (.+)$/;

/** problemsOf reads a refusal of a resource. */
export function problemsOf(error: unknown, resource: string): Problems {
  const found = violationsOf(error, resource).map(({ field, description }) => [field.replace(/\[\d+\]$/, ""), description] as const);
  const [, field, text] = (error ? named.exec(ConnectError.from(error).rawMessage) : null) ?? [];
  if (found.length === 0 && field && text) found.push([field.replace(new RegExp(`^${resource}\\.`), ""), text]);
  return (asked) => found.find(([path]) => path === asked)?.[1];
}
