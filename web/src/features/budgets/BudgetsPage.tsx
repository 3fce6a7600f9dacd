import "./budgets.css";

import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect } from "react";

import { mayListAlerts } from "../../api/alert";
import { mayCreateBudget, mayListBudgets, useBudgets } from "../../api/budget";
import { mayCreateLimit, mayListLimits, useLimits } from "../../api/limit";
import { mayListPriceOverrides } from "../../api/price";
import { mayGetQuota, QuotaKind, useQuotas } from "../../api/quota";
import { viewerZone } from "../../format/time";
import type { BudgetsSearch } from "../../routes/search";
import { LoadMore } from "../../ui/LoadMore";
import { Page, Panel } from "../../ui/Page";
import { Async, Empty } from "../../ui/State";
import { useMay } from "../session/permission";
import { BudgetDialog } from "./BudgetDialog";
import { Filters } from "./Filters";
import { filterOf, matches } from "./filter";
import { LimitDialog } from "./LimitDialog";
import { useScopeNames } from "./names";
import { QuotaDrawer } from "./QuotaDrawer";
import { QuotaTable } from "./QuotaTable";

const route = getRouteApi("/budgets");

const kinds = { all: QuotaKind.UNSPECIFIED, budgets: QuotaKind.BUDGET, limits: QuotaKind.LIMIT } as const;

/** BudgetsPage shows how it stands with all budgets and limits, and makes new ones. */
export function BudgetsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay();
  const names = useScopeNames();
  const quotas = useQuotas(kinds[search.kind ?? "all"], search.project ?? "", filterOf(search));
  const chosen = { budgets: useBudgets(may(mayListBudgets)), limits: useLimits(may(mayListLimits)) };
  const creating = search.create;
  const setCreating = (create: BudgetsSearch["create"]) => void navigate({ search: (s) => ({ ...s, create }) });
  const filtered = Boolean(search.project ?? search.mode ?? search.on ?? search.near);
  const searching = Boolean(search.near) && quotas.hasNextPage && !quotas.isError;
  useAllPages(quotas, Boolean(search.near));
  const change = (part: BudgetsSearch) => void navigate({ search: (s) => ({ ...s, ...part }), replace: true });
  const open = (quota: string | undefined) => void navigate({ search: (s) => ({ ...s, quota, subject: undefined, create: undefined }) });
  const listed = quotas.data?.pages.flatMap((page) => page.quotas) ?? [];
  const shown = listed.filter((quota) => matches(quota, search));
  return (
    <Page
      title="Budgets and limits"
      about={`How much may be spent or asked for, and how it stands. Times in ${viewerZone()}.`}
      actions={<Actions onCreate={setCreating} />}
    >
      <Panel>
        <Filters search={search} projects={names.projects} onChange={change} />
        <Async result={quotas} what="budgets and limits" isEmpty={() => listed.length === 0 && !filtered} empty={<NoQuotas kind={search.kind} />}>
          {() =>
            shown.length > 0 ? (
              <QuotaTable quotas={shown} names={names} chosen={chosen} />
            ) : (
              <Nothing searching={searching} onClear={() => void navigate({ search: {}, replace: true })} />
            )
          }
        </Async>
        {searching ? (
          <p className="muted quota-searching" role="status">
            Looking through the rest…
          </p>
        ) : (
          <LoadMore query={quotas} />
        )}
      </Panel>
      {search.quota && may(mayGetQuota) && (
        <QuotaDrawer id={search.quota} subject={search.subject ?? ""} names={names} onClose={() => open(undefined)} />
      )}
      {creating === "budget" && may(mayCreateBudget) && <BudgetDialog names={names} onClose={() => setCreating(undefined)} onSaved={open} />}
      {creating === "limit" && may(mayCreateLimit) && <LimitDialog names={names} onClose={() => setCreating(undefined)} onSaved={open} />}
    </Page>
  );
}

interface Pages {
  hasNextPage: boolean;
  isFetching: boolean;
  isError: boolean;
  fetchNextPage: () => unknown;
}

// How they stand the ledger knows, no filter: those near their end are found among all of them.
function useAllPages({ hasNextPage, isFetching, isError, fetchNextPage }: Pages, wanted: boolean) {
  useEffect(() => {
    if (wanted && hasNextPage && !isFetching && !isError) void fetchNextPage();
  }, [wanted, hasNextPage, isFetching, isError, fetchNextPage]);
}

function Actions({ onCreate }: { onCreate: (what: "budget" | "limit") => void }) {
  const may = useMay();
  return (
    <>
      {may(mayListAlerts) && <Link to="/alerts">Alerts</Link>}
      {may(mayListPriceOverrides) && <Link to="/prices">Prices</Link>}
      {may(mayCreateLimit) && (
        <button type="button" className="button" onClick={() => onCreate("limit")}>
          Create limit
        </button>
      )}
      {may(mayCreateBudget) && (
        <button type="button" className="button button-primary" onClick={() => onCreate("budget")}>
          Create budget
        </button>
      )}
    </>
  );
}

const emptyTitles = { all: "No budgets or limits yet", budgets: "No budgets yet", limits: "No limits yet" } as const;

function NoQuotas({ kind = "all" }: Pick<BudgetsSearch, "kind">) {
  const may = useMay();
  const mayMake = may(mayCreateBudget) || may(mayCreateLimit);
  return (
    <Empty title={emptyTitles[kind]}>
      <p>A budget bounds what may be spent in a day, month or ever; a limit bounds requests or tokens.</p>
      <p>
        {mayMake
          ? "Begin with one in shadow mode: it refuses nothing and shows what it would have refused."
          : "Your role may not create them; ask an admin of your organization."}
      </p>
    </Empty>
  );
}

function Nothing({ searching, onClear }: { searching: boolean; onClear: () => void }) {
  if (searching) return null;
  return (
    <Empty title="Nothing fits these filters">
      <button type="button" className="button" onClick={onClear}>
        Show all
      </button>
    </Empty>
  );
}

