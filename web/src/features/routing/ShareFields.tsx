import type { Names } from "../../api/names";
import { TextField } from "../../ui/Form";
import type { HedgeDraft, ShareDraft } from "./draft";
import { noHedge, noShare } from "./draft";
import { Optional } from "./Optional";
import type { Problems } from "./TargetFields";
import { TargetField } from "./TargetFields";

interface HedgeFieldsProps {
  hedge: HedgeDraft | undefined;
  problems: Problems;
  onChange: (hedge: HedgeDraft | undefined) => void;
}

/** HedgeFields choose when a second target is asked beside the first. */
export function HedgeFields({ hedge, problems, onChange }: HedgeFieldsProps) {
  const change = (part: Partial<HedgeDraft>) => onChange({ ...(hedge ?? noHedge), ...part });
  return (
    <Optional
      label="Hedge"
      about="Ask a second target where the first has nothing to say for long; the first content wins. Both may cost."
      checked={hedge !== undefined}
      problem={problems("hedge")}
      onChange={(on) => onChange(on ? noHedge : undefined)}
    >
      {hedge && (
        <fieldset className="part">
          <legend>Hedge</legend>
          <TextField
            label="After this percentile of the target's own times (optional)"
            type="number"
            min={50}
            max={99}
            placeholder="95"
            problem={problems("hedge.percentile")}
            value={hedge.percentile}
            onChange={(percentile) => change({ percentile })}
          />
          <TextField
            label="But not sooner than, ms (optional)"
            type="number"
            min={1}
            max={600_000}
            placeholder="50"
            problem={problems("hedge.min_delay")}
            value={hedge.minDelay}
            onChange={(minDelay) => change({ minDelay })}
          />
          <TextField
            label="At most this share of the requests, % (optional)"
            type="number"
            min={1}
            max={50}
            placeholder="10"
            problem={problems("hedge.max_percent")}
            value={hedge.maxPercent}
            onChange={(maxPercent) => change({ maxPercent })}
          />
        </fieldset>
      )}
    </Optional>
  );
}

interface ShareFieldsProps {
  what: "Canary" | "Shadow";
  share: ShareDraft | undefined;
  providers: Names;
  problems: Problems;
  onChange: (share: ShareDraft | undefined) => void;
}

const about = {
  Canary: "Try a new target with a part of the requests; where it fails, the targets above serve them.",
  Shadow: "Send a target copies of a part of the requests. Its answers are dropped, and cost what they cost.",
};

/** ShareFields choose a target that gets a part of the requests: a canary in place of the others, a shadow beside them. */
export function ShareFields({ what, share, providers, problems, onChange }: ShareFieldsProps) {
  const path = what.toLowerCase();
  return (
    <Optional
      label={what}
      about={about[what]}
      checked={share !== undefined}
      problem={problems(path)}
      onChange={(on) => onChange(on ? noShare : undefined)}
    >
      {share && (
        <>
          <TargetField
            title={`${what}'s target`}
            path={`${path}.target`}
            target={share.target}
            providers={providers}
            problems={problems}
            conditional={what === "Canary"}
            onChange={(part) => onChange({ ...share, target: { ...share.target, ...part } })}
          />
          <TextField
            label={`${what}'s share of the requests, %`}
            required
            type="number"
            min={0.1}
            max={100}
            step={0.1}
            problem={problems(`${path}.per_mille`)}
            value={share.percent}
            onChange={(percent) => onChange({ ...share, percent })}
          />
        </>
      )}
    </Optional>
  );
}
