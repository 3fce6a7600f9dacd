import { useState } from "react";

import type { Price } from "../../api/price";
import { formatMoney } from "../../format/money";
import { formatCount } from "../../format/number";
import { formatPico, formatRate } from "../../format/rate";
import { Fact, Facts } from "../../ui/Facts";
import { SelectField, TextField } from "../../ui/Form";
import { parseCount } from "../budgets/draft";
import type { Counts } from "./arithmetic";
import { costOf } from "./arithmetic";
import type { Bucket } from "./buckets";
import { buckets } from "./buckets";
import { factorWords } from "./words";

interface CalculatorProps {
  price: Price;
  /** Of the provider; "": none. */
  region: string;
}

/** Calculator shows what a request of so many tokens comes to, step by step. */
export function Calculator({ price, region }: CalculatorProps) {
  const [typed, setTyped] = useState<Partial<Record<Bucket, string>>>({ input: "1,000", output: "500" });
  const [tier, setTier] = useState("");
  const offered = buckets.filter(({ bucket }) => bucket === "input" || bucket === "output" || price.rates?.[bucket]);
  const counts: Counts = {};
  for (const { bucket } of offered) {
    const count = parseCount(typed[bucket] ?? "");
    if (count !== undefined) counts[bucket] = count;
  }
  const wrong = (text = "") => text.trim() !== "" && parseCount(text) === undefined;
  return (
    <section aria-label="What a request costs" className="price-calculator">
      <h3>What a request costs</h3>
      <div className="form field-trio">
        {offered.map(({ bucket, name }) => (
          <TextField
            key={bucket}
            label={`${name}, tokens`}
            inputMode="numeric"
            placeholder="0"
            problem={wrong(typed[bucket]) ? "A whole number." : undefined}
            value={typed[bucket] ?? ""}
            onChange={(text) => setTyped((t) => ({ ...t, [bucket]: text }))}
          />
        ))}
        {price.serviceTiers.length > 0 && (
          <SelectField label="Service tier" options={[["", "standard"], ...price.serviceTiers.map(({ name }) => [name, name] as const)]} value={tier} onChange={setTier} />
        )}
      </div>
      <Steps price={price} counts={counts} tier={tier} region={region} />
    </section>
  );
}

function Steps({ price, counts, tier, region }: { price: Price; counts: Counts; tier: string; region: string }) {
  const cost = costOf(price, counts, { tier, region });
  if ("unpriced" in cost) {
    return (
      <p className="notice notice-warn" role="status">
        <span>
          <b>Unpriced.</b> There is no price for {cost.unpriced.toLowerCase()}.
        </span>
      </p>
    );
  }
  return (
    <Facts title="Arithmetic">
      {cost.lines.map(({ name, count, rate, pico }) => (
        <Fact key={name} name={`${name}: ${formatCount(count)} × ${formatRate(rate)} ÷ 1,000,000`}>
          {formatPico(pico)}
        </Fact>
      ))}
      {cost.factors.map(({ name, factor }) => (
        <Fact key={name} name={name}>
          × {factorWords(factor)}
        </Fact>
      ))}
      {cost.perRequest > 0n && <Fact name="The request">{formatPico(cost.perRequest)}</Fact>}
      <Fact name="Cost, rounded to nano-dollars" sum>
        <strong>{formatMoney(cost.nano)}</strong>
      </Fact>
    </Facts>
  );
}
