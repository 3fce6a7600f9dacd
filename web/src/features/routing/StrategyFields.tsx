import { useId } from "react";

import { StickyBy, stickyByName, Strategy, strategyName } from "../../api/route";
import { Problem, TextField } from "../../ui/Form";
import type { StickyDraft } from "./draft";
import { explanationOf, strategies } from "./strategy";
import type { Problems } from "./TargetFields";

interface StrategyFieldsProps {
  strategy: Strategy;
  sticky: StickyDraft;
  problems: Problems;
  onChange: (part: { strategy?: Strategy; sticky?: StickyDraft }) => void;
}

/** StrategyFields choose how a route decides among its targets. */
export function StrategyFields({ strategy, sticky, problems, onChange }: StrategyFieldsProps) {
  const about = useId();
  const wrong = useId();
  return (
    <>
      <div className="field">
        <label>
          Strategy
          <select
            value={strategy}
            aria-describedby={`${wrong} ${about}`}
            onChange={(event) => onChange({ strategy: strategies[event.target.selectedIndex] ?? strategy })}
          >
            {strategies.map((choice) => (
              <option key={choice} value={choice}>
                {strategyName(choice)}
              </option>
            ))}
          </select>
        </label>
        <Problem id={wrong} problem={problems("strategy")} />
        <p id={about} className="muted">
          {explanationOf(strategy)}
        </p>
      </div>
      {strategy === Strategy.STICKY && <StickyFields sticky={sticky} problems={problems} onChange={(changed) => onChange({ sticky: changed })} />}
    </>
  );
}

const likenesses = [StickyBy.PROMPT_PREFIX, StickyBy.END_USER, StickyBy.HEADER, StickyBy.KEY];

const about: Partial<Record<StickyBy, string>> = {
  [StickyBy.PROMPT_PREFIX]: "Its system text, tools and first message: what providers keep in their caches.",
  [StickyBy.END_USER]: "As the request names them. Requests that name none go to the fastest target.",
  [StickyBy.HEADER]: "Its value. Requests without it go to the fastest target.",
  [StickyBy.KEY]: "The one that the request came with.",
};

interface StickyFieldsProps {
  sticky: StickyDraft;
  problems: Problems;
  onChange: (sticky: StickyDraft) => void;
}

function StickyFields({ sticky, problems, onChange }: StickyFieldsProps) {
  const hint = useId();
  const change = (part: Partial<StickyDraft>) => onChange({ ...sticky, ...part });
  return (
    <fieldset className="part">
      <legend>What requests are alike in</legend>
      <div className="field">
        <label>
          Alike in
          <select
            value={sticky.by}
            aria-describedby={hint}
            onChange={(event) => change({ by: likenesses[event.target.selectedIndex] ?? sticky.by })}
          >
            {likenesses.map((by) => (
              <option key={by} value={by}>
                {stickyByName(by)}
              </option>
            ))}
          </select>
        </label>
        <p id={hint} className="muted">
          {about[sticky.by]}
        </p>
      </div>
      {sticky.by === StickyBy.HEADER && (
        <TextField
          label="Header"
          required
          maxLength={100}
          placeholder="X-Session-Id"
          hint="Not one that carries a credential."
          problem={problems("sticky.header")}
          value={sticky.header}
          onChange={(header) => change({ header })}
        />
      )}
      <TextField
        label="From how many input tokens (optional)"
        type="number"
        min={1}
        max={100_000_000}
        placeholder={sticky.by === StickyBy.PROMPT_PREFIX ? "1024" : "any"}
        hint="Shorter requests go to the fastest target: no provider caches them."
        problem={problems("sticky.min_tokens")}
        value={sticky.minTokens}
        onChange={(minTokens) => change({ minTokens })}
      />
      <TextField
        label="How much slower it may be, % (optional)"
        type="number"
        min={1}
        max={10_000}
        placeholder="100"
        hint="The target is left once its expected time to first token is so much above the best other one's: 100 is twice as long."
        problem={problems("sticky.break_even_percent")}
        value={sticky.breakEvenPercent}
        onChange={(breakEvenPercent) => change({ breakEvenPercent })}
      />
    </fieldset>
  );
}
