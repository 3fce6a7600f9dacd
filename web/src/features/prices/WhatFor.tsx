import { useId } from "react";

import { mayGetPrice, usePrice } from "../../api/price";
import { mayListProviders, useAllProviders } from "../../api/provider";
import { fromLocalInput, viewerZone } from "../../format/time";
import { SelectField, TextField } from "../../ui/Form";
import { Named } from "../../ui/Named";
import type { ScopeNames } from "../budgets/names";
import type { Problems } from "../../api/problems";
import { useMay } from "../session/permission";
import type { PriceDraft } from "./draft";
import { draftOf } from "./draft";
import { useShown } from "./moment";
import { ratesTold } from "./words";

interface WhatForProps {
  draft: PriceDraft;
  /** Whether it is there already, and for what can't change. */
  fixed: boolean;
  names: ScopeNames;
  problems: Problems;
  onChange: (part: Partial<PriceDraft>) => void;
}

const listRule = "As providers name theirs: lower-case letters, digits and dashes.";

/** WhatFor says which requests a price is for. */
export function WhatFor({ draft, fixed, names, problems, onChange }: WhatForProps) {
  const lists = useId();
  const providers = useAllProviders(useMay()(mayListProviders) && !fixed);
  if (fixed) return <Fixed draft={draft} names={names} problems={problems} onChange={onChange} />;
  const choose = (providerId: string) => {
    const list = providers?.get(providerId)?.priceList;
    onChange({ providerId, ...(list && { priceList: list }) });
  };
  return (
    <>
      <div className="field-pair">
        <TextField
          label="Model"
          required
          maxLength={200}
          hint="As routes send it to the provider."
          placeholder="gpt-5"
          problem={problems("model")}
          value={draft.model}
          onChange={(model) => onChange({ model })}
        />
        <TextField
          label="Price list"
          required
          list={lists}
          pattern="[a-z0-9]([a-z0-9\-]{0,61}[a-z0-9])?"
          title={listRule}
          hint={listRule}
          placeholder="openai"
          problem={problems("price_list")}
          value={draft.priceList}
          onChange={(priceList) => onChange({ priceList })}
        />
        <datalist id={lists}>
          {[...new Set([...(providers?.values() ?? [])].map((p) => p.priceList).filter(Boolean))].map((list) => (
            <option key={list} value={list} />
          ))}
        </datalist>
      </div>
      {names.providers && (
        <SelectField
          label="Provider"
          hint="What you negotiated at one provider comes before what is for the whole price list."
          problem={problems("provider_id")}
          options={[["", "Every provider with this price list"], ...names.providers]}
          value={draft.providerId}
          onChange={choose}
        />
      )}
      <div className="field-pair">
        <TextField label="From (optional)" type="datetime-local" problem={problems("effective_from")} value={draft.from} onChange={(from) => onChange({ from })} />
        <Until draft={draft} problems={problems} onChange={onChange} />
      </div>
      <p className="muted">When requests begin, on the clock of {viewerZone()}. Of several prices the one that came into effect last counts; empty is ever.</p>
      <Present draft={draft} onChange={onChange} />
    </>
  );
}

function Until({ draft, problems, onChange }: Pick<WhatForProps, "draft" | "problems" | "onChange">) {
  return (
    <TextField label="Until (optional)" type="datetime-local" problem={problems("effective_until")} value={draft.until} onChange={(until) => onChange({ until })} />
  );
}

function Fixed({ draft, names, problems, onChange }: Omit<WhatForProps, "fixed">) {
  return (
    <>
      <p>
        For <b>{draft.model}</b>{" "}
        {draft.providerId ? (
          <>
            at <Named id={draft.providerId} names={names.providers} />
          </>
        ) : (
          <>at every provider with the price list {draft.priceList}</>
        )}
        {draft.from ? `, from ${draft.from.replace("T", " ")} on the clock of ${viewerZone()}` : ", always"}. What it is for can&apos;t change: set another price for that.
      </p>
      <Until draft={draft} problems={problems} onChange={onChange} />
    </>
  );
}

// What counts now, to begin with: whatever a price of one's own leaves out is unpriced.
function Present({ draft, onChange }: Pick<WhatForProps, "draft" | "onChange">) {
  const now = useShown({});
  const may = useMay()(mayGetPrice);
  const of = { model: draft.model.trim(), providerId: draft.providerId, priceList: draft.priceList.trim() };
  const { data } = usePrice(of, { ...now, at: fromLocalInput(draft.from) ?? now.at }, may && /^[a-z0-9-]{1,63}$/.test(of.priceList));
  const price = data?.price;
  if (!price) return null;
  const rates = ratesTold(price.rates).map(([name, rate]) => `${name} ${rate}`).join(", ");
  const { priceList, model, providerId, from, until } = draft;
  return (
    <div className="notice notice-plain" role="status">
      <span>
        {price.priceOverrideId ? "Your price" : "The built-in price"} then: {rates || "no rates of tokens"}. Yours takes the place of all of it: what you leave empty is unpriced.
      </span>
      <button type="button" className="button button-small" onClick={() => onChange({ ...draftOf(price), priceList, model, providerId, from, until })}>
        Begin with it
      </button>
    </div>
  );
}
