import "../budgets/budgets.css";
import "./prices.css";

import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";

import { mayListQuotas } from "../../api/quota";
import { mayListPriceOverrides, usePriceOverrides } from "../../api/price";
import { mayCreateRerate, mayGetRerate, mayListRerates, useRerates } from "../../api/rerate";
import { viewerZone } from "../../format/time";
import { LoadMore } from "../../ui/LoadMore";
import { Page, Panel } from "../../ui/Page";
import { Async, Empty } from "../../ui/State";
import type { ScopeNames } from "../budgets/names";
import { useScopeNames } from "../budgets/names";
import { useMay } from "../session/permission";
import { OverrideTable } from "./OverrideTable";
import { RerateDialog } from "./RerateDialog";
import { RerateDrawer } from "./RerateDrawer";
import { RerateTable } from "./RerateTable";

const route = getRouteApi("/prices");

/** PricesPage shows the organization's own prices, and prices past usage anew. */
export function PricesPage() {
  const may = useMay();
  const { rerate } = route.useSearch();
  const navigate = route.useNavigate();
  const names = useScopeNames();
  const open = (id: string | undefined) => void navigate({ search: { rerate: id } });
  return (
    <Page
      title="Prices"
      about={`Prices are made and changed through the API for now. Times in ${viewerZone()}.`}
      actions={may(mayListQuotas) && <Link to="/budgets">Budgets and limits</Link>}
    >
      {may(mayListPriceOverrides) && <Overrides names={names} />}
      {may(mayListRerates) && <Rerates names={names} onOpen={open} />}
      {rerate && may(mayGetRerate) && <RerateDrawer id={rerate} names={names} onClose={() => open(undefined)} />}
    </Page>
  );
}

function Overrides({ names }: { names: ScopeNames }) {
  const result = usePriceOverrides();
  const overrides = result.data?.pages.flatMap((page) => page.priceOverrides) ?? [];
  return (
    <Panel title="Prices of your own">
      <Async result={result} what="prices" isEmpty={() => overrides.length === 0} empty={<NoOverrides />}>
        {() => <OverrideTable overrides={overrides} providers={names.providers} />}
      </Async>
      <LoadMore query={result} />
    </Panel>
  );
}

function Rerates({ names, onOpen }: { names: ScopeNames; onOpen: (id: string) => void }) {
  const may = useMay();
  const result = useRerates(true);
  const [asking, setAsking] = useState(false);
  const rerates = result.data?.pages.flatMap((page) => page.rerates) ?? [];
  return (
    <Panel
      title="Usage priced anew"
      aside={
        may(mayCreateRerate) && (
          <button type="button" className="button button-small" onClick={() => setAsking(true)}>
            Price usage anew
          </button>
        )
      }
    >
      <Async result={result} what="re-rates" isEmpty={() => rerates.length === 0} empty={<NoRerates />}>
        {() => <RerateTable rerates={rerates} mayOpen={may(mayGetRerate)} />}
      </Async>
      <LoadMore query={result} />
      {asking && <RerateDialog names={names} onClose={() => setAsking(false)} onBegun={onOpen} />}
    </Panel>
  );
}

function NoOverrides() {
  return (
    <Empty title="No prices of your own">
      <p>
        Usage is priced by the built-in book. What you negotiated elsewhere, or a model that the book does not have, is made with{" "}
        <code>PriceOverrideService/CreatePriceOverride</code>.
      </p>
    </Empty>
  );
}

function NoRerates() {
  return (
    <Empty title="Nothing was priced anew">
      <p>After a price was wrong, past usage can be priced by the right one: first dry, with the difference for each project and model.</p>
    </Empty>
  );
}
