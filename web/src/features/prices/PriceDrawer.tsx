import { useState } from "react";

import type { GetPriceResponse, PricedModel } from "../../api/price";
import { mayCreatePriceOverride, usePrice } from "../../api/price";
import { CopyButton } from "../../ui/CopyButton";
import { Named } from "../../ui/Named";
import { Drawer } from "../../ui/Overlay";
import { Said } from "../../ui/Said";
import { Async } from "../../ui/State";
import { Time } from "../../ui/Value";
import type { ScopeNames } from "../budgets/names";
import { HistoryLink } from "../history/HistoryLink";
import { useMay } from "../session/permission";
import { Calculator } from "./Calculator";
import { Candidates } from "./Candidates";
import type { Shown } from "./moment";
import { OwnTools } from "./OwnTools";
import { PriceDialog } from "./PriceDialog";
import { PriceFacts } from "./PriceFacts";
import { Source } from "./PriceTable";

interface PriceDrawerProps {
  of: PricedModel;
  shown: Shown;
  names: ScopeNames;
  onClose: () => void;
}

/** PriceDrawer shows what a model costs at a moment, why that counts, and what a request comes to. */
export function PriceDrawer({ of, shown, names, onClose }: PriceDrawerProps) {
  const result = usePrice(of, shown);
  return (
    <Drawer title="Price" open wide onClose={onClose}>
      <Async result={result} what="price" isEmpty={() => false} empty={null}>
        {(found) => <Details of={of} found={found} shown={shown} names={names} />}
      </Async>
    </Drawer>
  );
}

interface DetailsProps extends Omit<PriceDrawerProps, "onClose"> {
  found: GetPriceResponse;
}

function Details({ of, found, shown, names }: DetailsProps) {
  const { price, candidates, region, priceList } = found;
  return (
    <>
      <div className="drawer-id">
        <div>
          <b>
            <Said text={of.model} />
          </b>
          <div className="muted">
            {of.providerId ? (
              <>
                at <Named id={of.providerId} names={names.providers} />, {priceList ? `price list ${priceList}` : "which has no price list"}
              </>
            ) : (
              `price list ${priceList}`
            )}
          </div>
        </div>
        <CopyButton text={of.model} what="name of the model" />
      </div>
      <p className="muted">
        For requests that begin <Time at={shown.at} precision="minute" />, by <code>{found.priceBookVersion}</code>.
        {price && price.model !== of.model && (
          <>
            {" "}
            The model is found by its name <code>{price.model}</code>.
          </>
        )}
      </p>
      {price ? (
        <div className="price-source">
          <div>
            <Source price={price} />
          </div>
          {price.priceOverrideId && <HistoryLink id={price.priceOverrideId} />}
        </div>
      ) : (
        <p className="notice notice-warn" role="status">
          <span>
            <b>Unpriced.</b> Nothing prices this model then: its requests are served or refused as the organization says, and cost is not known.
          </span>
        </p>
      )}
      {shown.present && <Tools of={of} found={found} names={names} />}
      {price && <PriceFacts price={price} />}
      {price && <Calculator key={price.priceOverrideId} price={price} region={region} />}
      <Candidates candidates={candidates} names={names} changeable={shown.present} />
    </>
  );
}

interface ToolsProps {
  of: PricedModel;
  found: GetPriceResponse;
  names: ScopeNames;
}

function Tools({ of, found: { price, priceList }, names }: ToolsProps) {
  const may = useMay();
  const [setting, setSetting] = useState(false);
  return (
    <div className="quota-tools">
      {price?.priceOverrideId && <OwnTools id={price.priceOverrideId} names={names} />}
      {may(mayCreatePriceOverride) && (
        <button type="button" className="button button-small" onClick={() => setSetting(true)}>
          {price?.priceOverrideId ? "Set another price" : "Set a price of your own"}
        </button>
      )}
      {setting && <PriceDialog begin={{ model: of.model, providerId: of.providerId, priceList }} from={price} names={names} onClose={() => setSetting(false)} />}
    </div>
  );
}
