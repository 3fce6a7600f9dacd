import { Link } from "@tanstack/react-router";

import type { Names } from "../../api/names";
import type { PriceOverride, Rates } from "../../api/price";
import { dateOf } from "../../api/time";
import { Named } from "../../ui/Named";
import { Said } from "../../ui/Said";
import { Scroller } from "../../ui/Scroller";
import { Time } from "../../ui/Value";
import { besidesOf, ratesTold } from "./words";

interface OverrideTableProps {
  overrides: readonly PriceOverride[];
  providers: Names;
  /** Whether a model opens its price. */
  mayOpen: boolean;
}

/** OverrideTable lists prices that are not those of the built-in book. */
export function OverrideTable({ overrides, providers, mayOpen }: OverrideTableProps) {
  return (
    <Scroller label="Prices, table">
      <table className="table table-rows">
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
                {mayOpen ? (
                  <Link
                    from="/prices"
                    to="/prices"
                    search={(s) => ({
                      ...s,
                      price: override.model,
                      of: override.providerId || undefined,
                      by: undefined,
                      list: override.providerId ? undefined : override.priceList,
                    })}
                    className="row-link"
                  >
                    <Said text={override.model} />
                  </Link>
                ) : (
                  <Said text={override.model} />
                )}
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
          <dd>{price}</dd>
        </div>
      ))}
    </dl>
  );
}

function Besides({ override }: { override: PriceOverride }) {
  const told = besidesOf(override);
  if (told.length === 0) return <span className="muted">–</span>;
  return told.map((text) => <div key={text}>{text}</div>);
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
