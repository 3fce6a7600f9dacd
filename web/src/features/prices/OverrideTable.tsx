import type { Names } from "../../api/names";
import type { PriceOverride, Rates } from "../../api/price";
import { dateOf } from "../../api/time";
import { Named } from "../../ui/Named";
import { Said } from "../../ui/Said";
import { Scroller } from "../../ui/Scroller";
import { Time } from "../../ui/Value";
import { ratesTold } from "./words";

interface OverrideTableProps {
  overrides: readonly PriceOverride[];
  providers: Names;
}

/** OverrideTable lists prices that are not those of the built-in book. */
export function OverrideTable({ overrides, providers }: OverrideTableProps) {
  return (
    <Scroller label="Prices, table">
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col">Dollars per million tokens</th>
            <th scope="col" className="wide-only">
              Besides
            </th>
            <th scope="col" className="wide-only">
              For requests
            </th>
          </tr>
        </thead>
        <tbody>
          {overrides.map((override) => (
            <tr key={override.id}>
              <th scope="row" className="anywhere">
                <Said text={override.model} />
                <div className="stacked">
                  {override.priceList}
                  {override.providerId && (
                    <>
                      , only of <Named id={override.providerId} names={providers} />
                    </>
                  )}
                </div>
              </th>
              <td>
                <RateList rates={override.rates} />
              </td>
              <td className="wide-only">
                <Besides override={override} />
              </td>
              <td className="wide-only">
                <Effective override={override} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroller>
  );
}

function RateList({ rates }: { rates: Rates | undefined }) {
  return (
    <dl className="rates">
      {ratesTold(rates).map(([name, price]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>${price}</dd>
        </div>
      ))}
    </dl>
  );
}

function Besides({ override: o }: { override: PriceOverride }) {
  const told = [
    o.perRequest && `$${o.perRequest} for each request`,
    o.perImage && `$${o.perImage} for each image`,
    o.longContextThreshold > 0n && `other prices above ${o.longContextThreshold} input tokens`,
    o.serviceTiers.length > 0 && `tiers ${o.serviceTiers.map((t) => t.name).join(", ")}`,
    o.regionFactors.length > 0 && `factors for ${o.regionFactors.map((f) => f.region).join(", ")}`,
    o.geoFactors.length > 0 && `factors where served: ${o.geoFactors.map((f) => f.region).join(", ")}`,
  ].filter((text) => typeof text === "string" && text !== "");
  if (told.length === 0) return <span className="muted">–</span>;
  return told.map((text) => <div key={String(text)}>{text}</div>);
}

function Effective({ override: { effectiveFrom, effectiveUntil } }: { override: PriceOverride }) {
  if (!effectiveFrom && !effectiveUntil) return <>always</>;
  return (
    <>
      {effectiveFrom && (
        <div>
          from <Time at={dateOf(effectiveFrom)} precision="minute" />
        </div>
      )}
      {effectiveUntil && (
        <div>
          until <Time at={dateOf(effectiveUntil)} precision="minute" />
        </div>
      )}
    </>
  );
}
