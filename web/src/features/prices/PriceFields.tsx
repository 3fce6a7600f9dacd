import { SelectField, TextField } from "../../ui/Form";
import type { Problems } from "../../api/problems";
import { More } from "../routing/More";
import { buckets } from "./buckets";
import type { PlaceDraft, PriceDraft, RatesDraft, TierDraft } from "./draft";
import { factorRule, hasRates, noRates } from "./draft";

interface PriceFieldsProps {
  draft: PriceDraft;
  problems: Problems;
  onChange: (part: Partial<PriceDraft>) => void;
}

/** PriceFields take all that goes into a price. */
export function PriceFields({ draft, problems, onChange }: PriceFieldsProps) {
  const long = draft.threshold.trim() !== "";
  const wrong = (path: string) => buckets.some(({ field }) => problems(`${path}.${field}`)) || Boolean(problems(path));
  return (
    <>
      <fieldset>
        <legend>Dollars per million tokens</legend>
        <RateFields path="rates" rates={draft.rates} problems={problems} onChange={(rates) => onChange({ rates })} />
        {problems("rates") && <p className="problem">{problems("rates")}</p>}
        <p className="muted">Output includes reasoning. Empty is no price, which is not free: requests that use such tokens are unpriced. Free is 0.</p>
      </fieldset>
      <More title="Long contexts" said={long} wrong={Boolean(problems("long_context_threshold")) || wrong("long_rates")}>
        <TextField
          label="Above so many input tokens"
          inputMode="numeric"
          placeholder="200,000"
          hint="Cached ones included. Empty: there are no other prices."
          problem={problems("long_context_threshold")}
          value={draft.threshold}
          onChange={(threshold) => onChange({ threshold })}
        />
        {long && (
          <>
            <SelectField
              label="Other prices are for"
              options={[
                ["whole", "all of the request"],
                ["beyond", "the tokens beyond, alone"],
              ]}
              value={draft.marginal ? "beyond" : "whole"}
              onChange={(of) => onChange({ marginal: of === "beyond" })}
            />
            <fieldset>
              <legend>Dollars per million tokens of long contexts</legend>
              <RateFields path="long_rates" rates={draft.longRates} problems={problems} onChange={(longRates) => onChange({ longRates })} />
              {problems("long_rates") && <p className="problem">{problems("long_rates")}</p>}
            </fieldset>
          </>
        )}
      </More>
      <More title="Service tiers: batch, flex, priority" said={draft.tiers.length > 0} wrong={draft.tiers.some((_, i) => wrong(`service_tiers[${i}].rates`) || problems(`service_tiers[${i}].factor`))}>
        {draft.tiers.map((tier, i) => (
          <TierFields
            key={i}
            path={`service_tiers[${i}]`}
            tier={tier}
            long={long}
            problems={problems}
            onChange={(part) => onChange({ tiers: draft.tiers.map((t, at) => (at === i ? { ...t, ...part } : t)) })}
            onRemove={() => onChange({ tiers: draft.tiers.filter((_, at) => at !== i) })}
          />
        ))}
        {draft.tiers.length < 10 && (
          <button
            type="button"
            className="button button-small price-add"
            onClick={() => onChange({ tiers: [...draft.tiers, { name: "", by: "factor", factor: "1/2", rates: noRates, longRates: noRates }] })}
          >
            Add service tier
          </button>
        )}
      </More>
      <More title="Regions" said={draft.regions.length + draft.geos.length > 0}>
        <PlaceList what="By the region of the provider" path="region_factors" places={draft.regions} problems={problems} onChange={(regions) => onChange({ regions })} />
        <PlaceList what="By where the answer says it was served" path="geo_factors" places={draft.geos} problems={problems} onChange={(geos) => onChange({ geos })} />
      </More>
      <More title="By the request or image" said={draft.perRequest + draft.perImage !== ""} wrong={Boolean(problems("per_request") ?? problems("per_image"))}>
        <div className="field-pair">
          <TextField
            label="Dollars for each request"
            inputMode="decimal"
            hint="Beside its tokens."
            problem={problems("per_request")}
            value={draft.perRequest}
            onChange={(perRequest) => onChange({ perRequest })}
          />
          <TextField
            label="Dollars for each image"
            inputMode="decimal"
            hint="Of an answer. Empty: not known."
            problem={problems("per_image")}
            value={draft.perImage}
            onChange={(perImage) => onChange({ perImage })}
          />
        </div>
      </More>
    </>
  );
}

interface RateFieldsProps {
  /** As the API's errors call them. */
  path: string;
  rates: RatesDraft;
  problems: Problems;
  onChange: (rates: RatesDraft) => void;
}

function RateFields({ path, rates, problems, onChange }: RateFieldsProps) {
  return (
    <div className="field-trio">
      {buckets.map(({ bucket, name, field }) => (
        <TextField
          key={bucket}
          label={name}
          inputMode="decimal"
          problem={problems(`${path}.${field}`)}
          value={rates[bucket]}
          onChange={(text) => onChange({ ...rates, [bucket]: text })}
        />
      ))}
    </div>
  );
}

interface TierFieldsProps {
  path: string;
  tier: TierDraft;
  /** Whether there are prices of long contexts. */
  long: boolean;
  problems: Problems;
  onChange: (part: Partial<TierDraft>) => void;
  onRemove: () => void;
}

function TierFields({ path, tier, long, problems, onChange, onRemove }: TierFieldsProps) {
  const title = tier.name.trim() || "New tier";
  return (
    <fieldset className="part">
      <legend>{title}</legend>
      <div className="field-trio">
        <TextField
          label="Name"
          required
          pattern="[a-z0-9_\-]{1,40}"
          title="As the provider names it in its answers: flex, priority, batch, fast."
          placeholder="batch"
          problem={problems(`${path}.name`) ?? problems(path)}
          value={tier.name}
          onChange={(name) => onChange({ name })}
        />
        <SelectField
          label="Costs"
          options={[
            ["factor", "the same by a factor"],
            ["rates", "prices of its own"],
          ]}
          value={tier.by}
          onChange={(by) => onChange({ by })}
        />
        {tier.by === "factor" && (
          <TextField label="Factor" required placeholder="1/2" title={factorRule} problem={problems(`${path}.factor`)} value={tier.factor} onChange={(factor) => onChange({ factor })} />
        )}
      </div>
      {tier.by === "rates" && <RateFields path={`${path}.rates`} rates={tier.rates} problems={problems} onChange={(rates) => onChange({ rates })} />}
      {tier.by === "rates" && (long || hasRates(tier.longRates)) && (
        <fieldset>
          <legend>In long contexts</legend>
          <RateFields path={`${path}.long_rates`} rates={tier.longRates} problems={problems} onChange={(longRates) => onChange({ longRates })} />
        </fieldset>
      )}
      <button type="button" className="button button-small price-add" onClick={onRemove}>
        Remove {title}
      </button>
    </fieldset>
  );
}

interface PlaceListProps {
  what: string;
  path: string;
  places: readonly PlaceDraft[];
  problems: Problems;
  onChange: (places: PlaceDraft[]) => void;
}

function PlaceList({ what, path, places, problems, onChange }: PlaceListProps) {
  return (
    <fieldset>
      <legend>{what}</legend>
      {places.map((place, i) => {
        const change = (part: Partial<PlaceDraft>) => onChange(places.map((p, at) => (at === i ? { ...p, ...part } : p)));
        return (
          <div key={i} className="place-fields">
            <TextField label="Region" required maxLength={63} placeholder="eu" problem={problems(`${path}[${i}].region`)} value={place.region} onChange={(region) => change({ region })} />
            <TextField label="Factor" required placeholder="1.1" title={factorRule} problem={problems(`${path}[${i}].factor`)} value={place.factor} onChange={(factor) => change({ factor })} />
            <button type="button" className="button button-small button-quiet" onClick={() => onChange(places.filter((_, at) => at !== i))}>
              Remove {place.region.trim() || "region"}
            </button>
          </div>
        );
      })}
      {places.length < 50 && (
        <button type="button" className="button button-small price-add" onClick={() => onChange([...places, { region: "", factor: "" }])}>
          Add region
        </button>
      )}
    </fieldset>
  );
}
