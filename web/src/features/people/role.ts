import { Role } from "../../api/session";

/** RoleWords say what a role may do. */
export interface RoleWords {
  role: Role;
  /** In the organization. */
  about: string;
  /** On one project; undefined: nobody has it there. */
  project?: string;
}

const reads = "Sees the project with its keys, limits and budgets, and changes nothing.";

/** The strongest first. docs/permissions.md has every permission. */
export const roleWords: readonly RoleWords[] = [
  { role: Role.OWNER, about: "Everything that an admin may, and makes and unmakes owners. The last owner can't be removed." },
  {
    role: Role.ADMIN,
    about: "Everything but owners: keys, budgets and limits, prices, alerts, people and service accounts, the history and going back in it, and all below.",
    project: "Makes, changes, rotates and revokes the project's keys, and changes the project.",
  },
  {
    role: Role.OPERATOR,
    about: "Runs the traffic: providers, routes, gateways, agents and rollouts, tests and dry runs. Sees keys, budgets and what a viewer sees. No people, no history, no SQL.",
    project: reads,
  },
  { role: Role.ANALYST, about: "What a viewer may, and asks in SQL, saves reports and sees what was priced anew.", project: reads },
  { role: Role.VIEWER, about: "Sees dashboards, requests, routes, providers, gateways, keys without their secrets, prices, limits and budgets. Changes nothing.", project: reads },
  { role: Role.PROJECTS_ONLY, about: "Nothing in the organization; only what roles on single projects allow." },
];

/** rolesUpTo are those that somebody with a role may give: nobody gives one above their own. */
export function rolesUpTo(own: Role): Role[] {
  const at = roleWords.findIndex(({ role }) => role === own);
  return at < 0 ? [] : roleWords.slice(at).map(({ role }) => role);
}

/** projectRolesUpTo are those of them that there are on projects. */
export function projectRolesUpTo(own: Role): Role[] {
  return rolesUpTo(own).filter((role) => roleWords.some((words) => words.role === role && words.project));
}
