import type { Quota } from "../../api/quota";
import type { BudgetsSearch } from "../../routes/search";
import { isNear } from "./standing";

/** filterOf is what the URL asks for, in the words of the API's filters. */
export function filterOf({ mode, on }: BudgetsSearch): string {
  return [...(mode ? [`mode = ${mode}`] : []), ...(on ? [`on = ${on.replace("-", "_")}`] : [])].join(" AND ");
}

/** matches tells whether a quota is one of those that are asked for: how it stands the server does not filter by. */
export function matches(quota: Quota, { near }: BudgetsSearch): boolean {
  return !near || isNear(quota);
}
