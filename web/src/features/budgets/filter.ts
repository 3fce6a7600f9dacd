import type { Quota, QuotaScope } from "../../api/quota";
import { QuotaMode } from "../../api/quota";
import type { BudgetsSearch, QuotaScopeName } from "../../routes/search";
import { isNear } from "./standing";

const modes = { hard: QuotaMode.HARD, soft: QuotaMode.SOFT, shadow: QuotaMode.SHADOW, off: QuotaMode.OFF } as const;

const scopes: Record<NonNullable<QuotaScope["on"]["case"]>, QuotaScopeName> = {
  organization: "organization",
  projectId: "project",
  keyId: "key",
  routeId: "route",
  providerId: "provider",
  endUser: "end-user",
  label: "label",
};

/** isFiltered tells whether something is chosen that the server does not filter by. */
export function isFiltered({ mode, on, near }: BudgetsSearch): boolean {
  return Boolean(mode ?? on ?? near);
}

/** matches tells whether a quota is one of those that are asked for. */
export function matches(quota: Quota, { mode, on, near }: BudgetsSearch): boolean {
  if (mode && quota.mode !== modes[mode]) return false;
  if (on && (!quota.scope?.on.case || scopes[quota.scope.on.case] !== on)) return false;
  return !near || isNear(quota);
}
