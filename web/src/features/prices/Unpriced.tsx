import { Link } from "@tanstack/react-router";

import { mayCreatePriceOverride, mayGetPrice, usePrice } from "../../api/price";
import { useAsk } from "../../api/statement";
import { formatCount } from "../../format/number";
import { Badge } from "../../ui/Badge";
import { Panel } from "../../ui/Page";
import { Said } from "../../ui/Said";
import { Scroller } from "../../ui/Scroller";
import { useMay } from "../session/permission";
import { useShown } from "./moment";

// Twenty at most: each is looked up once more.
const seen = `SELECT toString(provider_id), any(provider), model, count(), sum(input_tokens), sum(output_tokens)
FROM attempts WHERE corrected_cost_usd IS NULL AND request_started_at > now() - INTERVAL 7 DAY
GROUP BY provider_id, model ORDER BY count() DESC, model LIMIT 20`;

interface Used {
  providerId: string;
  provider: string;
  model: string;
  attempts: bigint;
  input: bigint;
  output: bigint;
}

/** Unpriced are models that were used lately and had no price. Nothing is shown where there are none. */
export function Unpriced() {
  const { data } = useAsk(seen, true);
  const used = (data?.rows ?? []).map((row): Used => {
    const [providerId = "", provider = "", model = "", attempts = "0", input = "0", output = "0"] = row.map(String);
    return { providerId, provider, model, attempts: BigInt(attempts), input: BigInt(input), output: BigInt(output) };
  });
  if (used.length === 0) return null;
  return (
    <Panel title="Used in the last 7 days without a price">
      <Scroller label="Models without a price, table">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col" className="num">
                Attempts
              </th>
              <th scope="col" className="num wide-only">
                Tokens in
              </th>
              <th scope="col" className="num wide-only">
                Tokens out
              </th>
              <th scope="col">Now</th>
            </tr>
          </thead>
          <tbody>
            {used.map((one) => (
              <Row key={`${one.providerId} ${one.model}`} used={one} />
            ))}
          </tbody>
        </table>
      </Scroller>
    </Panel>
  );
}

function Row({ used: { providerId, provider, model, attempts, input, output } }: { used: Used }) {
  const may = useMay();
  const { data, isError } = usePrice({ model, providerId, priceList: "" }, useShown({}), may(mayGetPrice));
  return (
    <tr>
      <th scope="row" className="anywhere">
        <Said text={model || "no model"} />
        <div className="stacked">
          at <Said text={provider} />
        </div>
      </th>
      <td className="num">{formatCount(attempts)}</td>
      <td className="num wide-only">{formatCount(input)}</td>
      <td className="num wide-only">{formatCount(output)}</td>
      <td>
        {data?.price ? (
          <>
            <Badge tone="good">Has a price</Badge>
            <div>
              <Link from="/prices" to="/prices" search={(s) => ({ ...s, price: model, of: providerId, by: undefined, list: undefined })}>
                See it
              </Link>
            </div>
          </>
        ) : (
          (data ?? isError) && (
            <>
              <Badge tone="warn">Unpriced</Badge>
              {may(mayCreatePriceOverride) && model && (
                <div>
                  <Link from="/prices" to="/prices" search={(s) => ({ ...s, set: model, of: isError ? undefined : providerId })} aria-label={`Set a price for ${model}`}>
                    Set a price
                  </Link>
                </div>
              )}
            </>
          )
        )}
      </td>
    </tr>
  );
}
