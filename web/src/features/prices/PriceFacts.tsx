import type { Factor, Price, Rates } from "../../api/price";
import { dateOf } from "../../api/time";
import { formatCount } from "../../format/number";
import { formatRate } from "../../format/rate";
import { viewerZone } from "../../format/time";
import { Fact, Facts } from "../../ui/Facts";
import { Scroller } from "../../ui/Scroller";
import { Time } from "../../ui/Value";
import { buckets } from "./buckets";
import { Rate } from "./PriceTable";
import { factorWords, longWords } from "./words";

interface Column {
  name: string;
  rates: Rates | undefined;
  /** In place of rates: of the first column. */
  factor?: Factor | undefined;
}

/** PriceFacts are all that goes into a price. */
export function PriceFacts({ price }: { price: Price }) {
  return (
    <>
      <RateTable price={price} />
      <Besides price={price} />
    </>
  );
}

function columnsOf({ rates, longContextThreshold, longRates, serviceTiers, builtIn }: Price): Column[] {
  const above = `Above ${formatCount(longContextThreshold)}`;
  return [
    { name: "Standard", rates },
    ...(builtIn ? [{ name: "Built-in book", rates: builtIn.rates }] : []),
    ...(longContextThreshold > 0n ? [{ name: above, rates: longRates }] : []),
    ...serviceTiers.flatMap((tier) => [
      { name: tier.name, rates: tier.rates, factor: tier.factor },
      ...(tier.longRates ? [{ name: `${tier.name}, ${above.toLowerCase()}`, rates: tier.longRates }] : []),
    ]),
  ];
}

function RateTable({ price }: { price: Price }) {
  const columns = columnsOf(price);
  const known = buckets.filter(({ bucket }) => columns.some(({ rates }) => rates?.[bucket]));
  if (known.length === 0) return null;
  return (
    <section className="facts" aria-label="Rates">
      <h3>Dollars per million tokens</h3>
      <Scroller label="Rates, table">
        <table className="table price-rates">
          <thead>
            <tr>
              <th scope="col">Tokens</th>
              {columns.map(({ name }) => (
                <th key={name} scope="col" className="num">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {known.map(({ bucket, name }) => (
              <tr key={bucket}>
                <th scope="row">{name}</th>
                {columns.map((column) => (
                  <td key={column.name} className="num">
                    {column.factor ? price.rates?.[bucket] && `× ${factorWords(column.factor)}` : <Rate text={column.rates?.[bucket]} />}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroller>
      <p className="muted">Output includes reasoning. A dash is no price: requests that use such tokens are unpriced, which is not free.</p>
    </section>
  );
}

function Besides({ price }: { price: Price }) {
  const [from, until] = [dateOf(price.effectiveFrom), dateOf(price.effectiveUntil)];
  return (
    <Facts title={`Besides, times in ${viewerZone()}`}>
      {price.longContextThreshold > 0n && <Fact name="Long contexts">{longWords(price)}</Fact>}
      <Fact name="A request">{price.perRequest ? formatRate(price.perRequest) : "nothing beside its tokens"}</Fact>
      {price.perImage && <Fact name="An image">{formatRate(price.perImage)}</Fact>}
      {price.regionFactors.map(({ region, factor }) => (
        <Fact key={region} name={`Provider in ${region}`}>
          × {factorWords(factor)}
        </Fact>
      ))}
      {price.geoFactors.map(({ region, factor }) => (
        <Fact key={region} name={`Served in ${region}`}>
          × {factorWords(factor)}
        </Fact>
      ))}
      {(from ?? until) && (
        <Fact name="For requests">
          {from && (
            <>
              from <Time at={from} precision="minute" />{" "}
            </>
          )}
          {until && (
            <>
              until <Time at={until} precision="minute" />
            </>
          )}
        </Fact>
      )}
      {price.aliases.length > 0 && <Fact name="Also for">{price.aliases.join(", ")}</Fact>}
      {price.maxInputTokens > 0n && <Fact name="The model takes">{formatCount(price.maxInputTokens)} tokens in</Fact>}
      {price.maxOutputTokens > 0n && <Fact name="and answers with">{formatCount(price.maxOutputTokens)} at most</Fact>}
    </Facts>
  );
}
