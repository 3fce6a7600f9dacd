import type { Price, PriceCandidate } from "../../api/price";
import { Standing } from "../../api/price";
import { dateOf } from "../../api/time";
import { formatTime, viewerZone } from "../../format/time";
import { Badge } from "../../ui/Badge";
import { Named } from "../../ui/Named";
import { Time } from "../../ui/Value";
import type { ScopeNames } from "../budgets/names";
import { OwnTools } from "./OwnTools";
import { ratesTold, standingName } from "./words";

interface CandidatesProps {
  candidates: readonly PriceCandidate[];
  names: ScopeNames;
  /** Whether prices of one's own can be changed from here. */
  changeable: boolean;
}

/** Candidates are all prices of a model over time, in the order in which one would count. */
export function Candidates({ candidates, names, changeable }: CandidatesProps) {
  const listed = candidates.flatMap(({ price }) => (price && !price.priceOverrideId ? [price] : []));
  // An override for the same at all times stands where the built-in price stood.
  const replaced = listed.length === 0 ? candidates.find(({ price }) => price?.builtIn)?.price?.builtIn : undefined;
  return (
    <section className="facts" aria-label="Why this price">
      <h3>Why this price: what there is, the first that is in effect counts</h3>
      {candidates.length === 0 && <p className="muted">Neither the built-in book nor your own prices have this model.</p>}
      <ol className="price-candidates">
        {candidates.map(({ price, standing }) => price && <Candidate key={keyOf(price)} price={price} standing={standing} names={names} changeable={changeable} />)}
        {replaced && (
          <li>
            <div className="price-candidate">
              <span>The built-in book</span>
              <Badge tone="plain">Replaced by yours</Badge>
            </div>
            <RateWords price={replaced} />
          </li>
        )}
      </ol>
    </section>
  );
}

function keyOf({ priceOverrideId, priceList, model }: Price): string {
  return priceOverrideId || `${priceList}/${model}`;
}

interface CandidateProps extends Omit<CandidatesProps, "candidates"> {
  price: Price;
  standing: Standing;
}

function Candidate({ price, standing, names, changeable }: CandidateProps) {
  const { label, tone } = standingName(standing);
  const [from, until] = [dateOf(price.effectiveFrom), dateOf(price.effectiveUntil)];
  return (
    <li aria-current={standing === Standing.COUNTS ? "true" : undefined}>
      <div className="price-candidate">
        <span>
          {!price.priceOverrideId && "The built-in book"}
          {price.priceOverrideId && !price.providerId && `Your price for the list ${price.priceList}`}
          {price.priceOverrideId && price.providerId && (
            <>
              Your price at <Named id={price.providerId} names={names.providers} />
            </>
          )}
          {from && (
            <>
              , from <Time at={from} precision="minute" />
            </>
          )}
          {until && (
            <>
              , until <Time at={until} precision="minute" />
            </>
          )}
        </span>
        <Badge tone={tone}>{label}</Badge>
      </div>
      <RateWords price={price} />
      {changeable && price.priceOverrideId && standing !== Standing.COUNTS && (
        <div className="quota-tools">
          <OwnTools id={price.priceOverrideId} which={from ? `the price from ${formatTime(from, viewerZone(), "minute")}` : "the price of all times"} names={names} />
        </div>
      )}
    </li>
  );
}

function RateWords({ price }: { price: Price }) {
  return <div className="stacked">{ratesTold(price.rates).map(([name, rate]) => `${name} ${rate}`).join(", ") || "no rates of tokens"}</div>;
}
