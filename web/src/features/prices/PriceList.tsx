import { getRouteApi } from "@tanstack/react-router";

import type { Price } from "../../api/price";
import { mayGetPrice, usePrices } from "../../api/price";
import type { Provider } from "../../api/provider";
import type { PricesSearch } from "../../routes/search";
import { CopyButton } from "../../ui/CopyButton";
import { LoadMore } from "../../ui/LoadMore";
import { Panel } from "../../ui/Page";
import { Async, Empty } from "../../ui/State";
import { Time } from "../../ui/Value";
import type { ScopeNames } from "../budgets/names";
import { useMay } from "../session/permission";
import type { Shown } from "./moment";
import { builtinOf, useShown } from "./moment";
import { PriceFilter } from "./PriceFilter";
import { PriceTable } from "./PriceTable";

const route = getRouteApi("/prices");

interface PriceListProps {
  names: ScopeNames;
  /** The provider that was chosen, as far as it is known. */
  provider: Provider | undefined;
}

/** PriceList is what models cost at a moment. */
export function PriceList({ names, provider }: PriceListProps) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay();
  const shown = useShown(search);
  const result = usePrices(shown, filterOf(search, provider), !search.provider || provider !== undefined);
  const prices = effective(result.data?.pages.flatMap((page) => page.prices) ?? [], search.provider);
  const book = result.data?.pages[0]?.priceBookVersion ?? "";
  const change = (part: PricesSearch) => void navigate({ search: (s) => ({ ...s, ...part }), replace: true });
  return (
    <Panel
      title="Dollars per million tokens"
      aside={
        book && (
          <span className="muted price-book">
            Price book <code>{book}</code> <CopyButton text={book} what="name of the price book" />
          </span>
        )
      }
    >
      <PriceFilter search={search} providers={names.providers} onChange={change} />
      {!shown.present && <OtherMoment shown={shown} book={book} onPresent={() => change({ at: undefined, book: undefined })} />}
      <Async result={result} what="prices" isEmpty={() => prices.length === 0} empty={<Nothing search={search} onClear={() => void navigate({ search: {}, replace: true })} />}>
        {() => <PriceTable prices={prices} providers={names.providers} provider={search.provider} mayOpen={may(mayGetPrice)} />}
      </Async>
      <LoadMore query={result} />
    </Panel>
  );
}

/** filterOf is what the URL asks for, in the words of the API's filters. */
function filterOf({ q, provider: id }: PricesSearch, provider: Provider | undefined): string {
  const quoted = (text: string) => `"${text.replace(/[\\"*]/g, "\\$&")}"`;
  return [
    ...(q ? [`name:${quoted(q)}`] : []),
    ...(id ? [`(provider_id = ${quoted(id)} OR NOT provider_id:*)`] : []),
    ...(id && provider ? [`price_list = ${quoted(provider.priceList)}`] : []),
  ].join(" AND ");
}

// What is for one provider goes before what is for the list.
function effective(prices: Price[], provider: string | undefined): Price[] {
  if (!provider) return prices;
  const own = new Set(prices.filter((p) => p.providerId === provider).map((p) => p.model));
  return prices.filter((p) => p.providerId === provider || !own.has(p.model));
}

function OtherMoment({ shown, book, onPresent }: { shown: Shown; book: string; onPresent: () => void }) {
  const ahead = shown.at > new Date();
  return (
    <div className="notice notice-plain price-moment" role="status">
      <span>
        {shown.book ? (
          <>
            Price book <code>{shown.book}</code>, for requests that began
          </>
        ) : ahead ? (
          "As far as it is settled now, for requests that will begin"
        ) : (
          "As prices were then, for requests that began"
        )}{" "}
        <Time at={shown.at} precision="minute" />.
        {shown.book && book && builtinOf(shown.book) !== builtinOf(book) && (
          <b> This server has another built-in book, {builtinOf(book)}: built-in prices may have been others.</b>
        )}
      </span>
      <button type="button" className="button button-small" onClick={onPresent}>
        Show present prices
      </button>
    </div>
  );
}

function Nothing({ search, onClear }: { search: PricesSearch; onClear: () => void }) {
  return (
    <Empty title="No price fits">
      <p>
        {search.provider && !search.q
          ? "There is no price for this provider's price list: its models are unpriced until you set one."
          : "What is not listed is unpriced until you set a price for it."}
      </p>
      <button type="button" className="button" onClick={onClear}>
        Show all prices
      </button>
    </Empty>
  );
}
