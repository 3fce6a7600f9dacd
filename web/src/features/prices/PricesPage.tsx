import "../budgets/budgets.css";
import "./prices.css";

import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";

import type { PricedModel } from "../../api/price";
import { mayCreatePriceOverride, mayGetPrice, mayImportPrices, mayListPriceOverrides, mayListPrices, usePriceOverrides } from "../../api/price";
import type { Provider } from "../../api/provider";
import { mayListProviders, useAllProviders } from "../../api/provider";
import { mayListQuotas } from "../../api/quota";
import { mayRunQueries } from "../../api/report";
import { mayCreateRerate, mayGetRerate, mayListRerates, useRerates } from "../../api/rerate";
import { viewerZone } from "../../format/time";
import type { PricesSearch } from "../../routes/search";
import { LoadMore } from "../../ui/LoadMore";
import { Page, Panel } from "../../ui/Page";
import { Segmented } from "../../ui/Segmented";
import { Async, Empty } from "../../ui/State";
import type { ScopeNames } from "../budgets/names";
import { useScopeNames } from "../budgets/names";
import { useMay } from "../session/permission";
import { ImportDialog } from "./ImportDialog";
import { useShown } from "./moment";
import { OverrideTable } from "./OverrideTable";
import { PriceDialog } from "./PriceDialog";
import { PriceDrawer } from "./PriceDrawer";
import { PriceList } from "./PriceList";
import { RerateDialog } from "./RerateDialog";
import { RerateDrawer } from "./RerateDrawer";
import { RerateTable } from "./RerateTable";
import { Unpriced } from "./Unpriced";

const route = getRouteApi("/prices");

type View = NonNullable<PricesSearch["show"]>;
const views: readonly { value: View; label: string; permission: string }[] = [
  { value: "list", label: "Price list", permission: mayListPrices },
  { value: "own", label: "Your own prices", permission: mayListPriceOverrides },
  { value: "rerates", label: "Priced anew", permission: mayListRerates },
];

/** PricesPage shows what models cost, sets prices of one's own, and prices past usage anew. */
export function PricesPage() {
  const may = useMay();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const names = useScopeNames();
  const providers = useAllProviders(may(mayListProviders));
  const shown = useShown(search);
  const offered = views.filter(({ permission }) => may(permission));
  const show = offered.find(({ value }) => value === search.show)?.value ?? offered[0]?.value;
  const change = (part: PricesSearch) => void navigate({ search: (s) => ({ ...s, ...part }) });
  const price = pricedModel(search.price, search, providers);
  const set = pricedModel(search.set, search, providers);
  const closeSet = () => change({ set: undefined, of: undefined, by: undefined, list: undefined });
  return (
    <Page title="Prices" about={`What models cost, and what your usage is priced by. Times in ${viewerZone()}.`} actions={<Actions providers={providers} />}>
      {offered.length > 1 && (
        <div className="price-views">
          <Segmented label="What is shown" options={offered} value={show ?? "list"} onChange={(next) => change({ show: next === "list" ? undefined : next })} />
        </div>
      )}
      {show === "list" && may(mayRunQueries) && shown.present && <Unpriced />}
      {show === "list" && <PriceList names={names} provider={providers?.get(search.provider ?? "")} />}
      {show === "own" && <Overrides names={names} />}
      {show === "rerates" && <Rerates names={names} onOpen={(rerate) => change({ rerate })} />}
      {price && may(mayGetPrice) && (
        <PriceDrawer of={price} shown={shown} names={names} onClose={() => change({ price: undefined, of: undefined, by: undefined, list: undefined })} />
      )}
      {set && may(mayCreatePriceOverride) && <PriceDialog begin={set} names={names} onClose={closeSet} />}
      {search.rerate && may(mayGetRerate) && <RerateDrawer id={search.rerate} names={names} onClose={() => change({ rerate: undefined })} />}
    </Page>
  );
}

// A provider may be named by its name, as usage has it; until providers are known nothing opens.
function pricedModel(model: string | undefined, { of, by, list = "" }: PricesSearch, providers: ReadonlyMap<string, Provider> | undefined): PricedModel | undefined {
  if (model === undefined || (by && !providers)) return undefined;
  const named = by ? [...(providers?.values() ?? [])].find((p) => p.name === by) : providers?.get(of ?? "");
  return { model, providerId: named?.id ?? of ?? "", priceList: named?.priceList ?? list };
}

function Actions({ providers }: { providers: ReadonlyMap<string, Provider> | undefined }) {
  const may = useMay();
  const navigate = route.useNavigate();
  const [importing, setImporting] = useState(false);
  const lists = [...new Set([...(providers?.values() ?? [])].map((p) => p.priceList).filter(Boolean))];
  return (
    <>
      {may(mayListQuotas) && <Link to="/budgets">Budgets and limits</Link>}
      {may(mayImportPrices) && (
        <button type="button" className="button" onClick={() => setImporting(true)}>
          Import prices
        </button>
      )}
      {may(mayCreatePriceOverride) && (
        <button type="button" className="button button-primary" onClick={() => void navigate({ search: (s) => ({ ...s, set: "" }) })}>
          Set a price
        </button>
      )}
      {importing && <ImportDialog lists={lists} onClose={() => setImporting(false)} />}
    </>
  );
}

function Overrides({ names }: { names: ScopeNames }) {
  const result = usePriceOverrides();
  const may = useMay();
  const overrides = result.data?.pages.flatMap((page) => page.priceOverrides) ?? [];
  return (
    <Panel title="Prices of your own">
      <Async result={result} what="prices" isEmpty={() => overrides.length === 0} empty={<NoOverrides />}>
        {() => <OverrideTable overrides={overrides} providers={names.providers} mayOpen={may(mayGetPrice)} />}
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
  const may = useMay();
  return (
    <Empty title="No prices of your own">
      <p>
        Usage is priced by the built-in book.{" "}
        {may(mayCreatePriceOverride)
          ? "Set a price for what you negotiated elsewhere, or for a model that the book does not have."
          : "An admin of your organization can set what was negotiated elsewhere."}
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
