import { Link } from "@tanstack/react-router";

import type { Names } from "../../api/names";
import type { Price } from "../../api/price";
import { dateOf } from "../../api/time";
import { formatRate } from "../../format/rate";
import { Badge } from "../../ui/Badge";
import { Named } from "../../ui/Named";
import { RowBlocks } from "../../ui/RowBlocks";
import { Said } from "../../ui/Said";
import { Scroller } from "../../ui/Scroller";
import { Time } from "../../ui/Value";
import { besidesOf } from "./words";

interface PriceTableProps {
  prices: readonly Price[];
  providers: Names;
  /** Of what prices are opened: the id of the provider that was chosen. */
  provider: string | undefined;
  mayOpen: boolean;
}

/** PriceTable lists what models cost; a model opens all of its price. */
export function PriceTable({ prices, providers, provider, mayOpen }: PriceTableProps) {
  return (
    <Scroller label="Price list, table">
      <table className="table table-rows price-list" aria-rowcount={prices.length + 1}>
        <thead>
          <tr>
            <th scope="col">Model</th>
            <th scope="col" className="num">
              Input
            </th>
            <th scope="col" className="num wide-only">
              Cache read
            </th>
            <th scope="col" className="num wide-only">
              Cache write, 5 min
            </th>
            <th scope="col" className="num">
              Output
            </th>
            <th scope="col" className="wide-only">
              Besides
            </th>
            <th scope="col" className="wide-only">
              Source
            </th>
          </tr>
        </thead>
        <RowBlocks items={prices} columns={7}>
          {(price) => <Row key={`${price.priceList} ${price.model} ${price.providerId}`} price={price} providers={providers} provider={provider} mayOpen={mayOpen} />}
        </RowBlocks>
      </table>
    </Scroller>
  );
}

function Row({ price, providers, provider, mayOpen }: { price: Price; providers: Names; provider: string | undefined; mayOpen: boolean }) {
  const of = price.providerId || provider;
  const { rates } = price;
  return (
    <tr>
      <th scope="row" className="anywhere">
        {mayOpen ? (
          <Link
            from="/prices"
            to="/prices"
            search={(s) => ({ ...s, price: price.model, of, by: undefined, list: of ? undefined : price.priceList })}
            className="row-link"
          >
            <Said text={price.model} />
          </Link>
        ) : (
          <Said text={price.model} />
        )}
        <div className="stacked">
          {price.priceList}
          {price.providerId && (
            <>
              , only at <Named id={price.providerId} names={providers} />
            </>
          )}
          {price.priceOverrideId && <span className="narrow-only">, yours</span>}
        </div>
      </th>
      <td className="num">
        <Rate text={rates?.input} />
      </td>
      <td className="num wide-only">
        <Rate text={rates?.cacheRead} />
      </td>
      <td className="num wide-only">
        <Rate text={rates?.cacheWrite5m} />
      </td>
      <td className="num">
        <Rate text={rates?.output} />
      </td>
      <td className="wide-only price-besides">
        {besidesOf(price).join(", ") || <span className="muted">–</span>}
      </td>
      <td className="wide-only">
        <Source price={price} />
      </td>
    </tr>
  );
}

/** Rate is dollars per million tokens; what has no price is a dash. */
export function Rate({ text }: { text: string | undefined }) {
  return text ? <>{formatRate(text)}</> : <span className="muted">–</span>;
}

/** Source says who says so, and for how long. */
export function Source({ price }: { price: Price }) {
  if (!price.priceOverrideId) return <Badge tone="plain">Built-in book</Badge>;
  const [from, until] = [dateOf(price.effectiveFrom), dateOf(price.effectiveUntil)];
  return (
    <>
      <Badge tone="good">Your own</Badge>
      {(from ?? until) && (
        <div className="stacked">
          {from && (
            <>
              since <Time at={from} precision="day" />{" "}
            </>
          )}
          {until && (
            <>
              until <Time at={until} precision="day" />
            </>
          )}
        </div>
      )}
    </>
  );
}
