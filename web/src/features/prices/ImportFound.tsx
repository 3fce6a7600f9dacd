import { useState } from "react";

import type { ImportedPrice, NotImported } from "../../api/price";
import { formatCount } from "../../format/number";
import { Said } from "../../ui/Said";
import { Scroller } from "../../ui/Scroller";
import { Segmented } from "../../ui/Segmented";
import type { Found, Outcome } from "./useImport";
import { outcomeOf, outcomes } from "./useImport";
import { differenceOf } from "./words";

const labels: Record<Outcome, string> = { new: "New", changed: "Changed", same: "The same", refused: "Left out" };
const atOnce = 100;

/** ImportFound is what a file comes to, by what becomes of its models. */
export function ImportFound({ found }: { found: Found }) {
  const counts: Record<Outcome, number> = { new: 0, changed: 0, same: 0, refused: found.left.length };
  for (const price of found.prices) counts[outcomeOf(price)] += 1;
  const [show, setShow] = useState<Outcome>(outcomes.find((outcome) => counts[outcome] > 0) ?? "new");
  const [most, setMost] = useState(atOnce);
  const prices = found.prices.filter((price) => outcomeOf(price) === show);
  const total = show === "refused" ? found.left.length : prices.length;
  return (
    <section aria-label="What the file comes to" className="import-found">
      <Segmented
        label="What becomes of models"
        options={outcomes.map((value) => ({ value, label: `${labels[value]} ${formatCount(counts[value])}` }))}
        value={show}
        onChange={(next) => {
          setShow(next);
          setMost(atOnce);
        }}
      />
      {total === 0 && <p className="muted">None.</p>}
      {total > 0 && (
        <Scroller label={`${labels[show]}, table`} className="import-table">
          {show === "refused" ? <LeftTable left={found.left.slice(0, most)} /> : <ImportedTable prices={prices.slice(0, most)} />}
        </Scroller>
      )}
      {total > most && (
        <button type="button" className="button button-small" onClick={() => setMost(most + atOnce)}>
          Show {formatCount(Math.min(atOnce, total - most))} more of {formatCount(total)}
        </button>
      )}
    </section>
  );
}

function ImportedTable({ prices }: { prices: readonly ImportedPrice[] }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Model</th>
          <th scope="col">Dollars per million tokens</th>
        </tr>
      </thead>
      <tbody>
        {prices.map(({ priceOverride: price, was }) => (
          <tr key={`${price?.priceList}/${price?.model}`}>
            <th scope="row" className="anywhere">
              <Said text={price?.model ?? ""} />
              <div className="stacked">{price?.priceList}</div>
            </th>
            <td>
              {price && differenceOf(price, was).map((line) => <div key={line}>{line}</div>)}
              {was && <div className="stacked">{was.id ? "in place of your price" : "in place of the built-in price"}</div>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function LeftTable({ left }: { left: readonly NotImported[] }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">In the file</th>
          <th scope="col">Why it is left out</th>
        </tr>
      </thead>
      <tbody>
        {left.map(({ name, field, reason }) => (
          <tr key={`${name} ${field}`}>
            <th scope="row" className="anywhere">
              <Said text={name} />
              {field && <div className="stacked">its field {field}</div>}
            </th>
            <td className="anywhere">
              <Said text={reason} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
