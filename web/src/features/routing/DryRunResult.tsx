import type { DryRunResponse, DryRunRoute, DryRunShare, DryRunTarget } from "../../api/diagnostics";
import { ConditionVerdict, TargetFitness } from "../../api/diagnostics";
import { failureName, stickyByName, StickyBy, Strategy, strategyName } from "../../api/route";
import { microsOf, secondsOf } from "../../api/time";
import { formatDuration } from "../../format/duration";
import { formatBytes, formatCount } from "../../format/number";
import type { Tone } from "../../ui/Badge";
import { Badge } from "../../ui/Badge";
import { Fact, Facts } from "../../ui/Facts";
import { Scroller } from "../../ui/Scroller";
import { Money } from "../../ui/Value";
import { AnsweredByFacts } from "./AnsweredBy";
import { explanationOf } from "./strategy";
import { hedgeWords, percentOf, spanOf, stickyWords } from "./words";

interface DryRunResultProps {
  result: DryRunResponse;
  /** Whether what the route itself says is seen elsewhere. */
  brief?: boolean;
}

/** DryRunResult is what an agent would do with the described request. */
export function DryRunResult({ result, brief = false }: DryRunResultProps) {
  const { refusal, route } = result;
  return (
    <>
      <div role="status">
        {refusal ? (
          <>
            <Badge tone="bad">
              Refused at once with {refusal.status} <code>{refusal.code}</code>
            </Badge>
            <p>{refusal.message}</p>
          </>
        ) : (
          <Badge tone="good">Would go upstream</Badge>
        )}
      </div>
      {route && (
        <>
          <Targets route={route} said={refusal?.message} />
          {!brief && <ChoiceFacts route={route} />}
          {!brief && (
            <Facts title="Attempts">
              <Fact name="At most">{formatCount(route.maxAttempts)}</Fact>
              <Fact name="A target twice">{route.eachOnce ? "never" : `after up to ${formatDuration(microsOf(route.backoff) ?? 0n)}`}</Fact>
              <Fact name="Another one after">{route.retryOn.map(failureName).join(", ") || "nothing"}</Fact>
            </Facts>
          )}
        </>
      )}
      <Facts title="Cost and bounds">
        <Fact name="All attempts cost at most">
          {result.maxCostNanoUsd === undefined ? "not bounded, or unpriced" : <Money nano={result.maxCostNanoUsd} />}
        </Fact>
        <Fact name="Price book">{result.priceBookVersion ? <code>{result.priceBookVersion}</code> : "none: the policy has no prices"}</Fact>
        <Fact name="Largest body">{formatBytes(result.maxRequestBytes)}</Fact>
      </Facts>
      {result.answeredBy && <AnsweredByFacts by={result.answeredBy} />}
    </>
  );
}

// An agent of before these were said tells no strategy.
function ChoiceFacts({ route }: { route: DryRunRoute }) {
  const { strategy, strict, sticky, hedge, canary, shadow } = route;
  if (strategy === Strategy.UNSPECIFIED) return null;
  return (
    <Facts title="Choice of the target">
      <Fact name="Strategy">
        {strategyName(strategy)}
        <div className="muted">{explanationOf(strategy)}</div>
      </Fact>
      {sticky && (
        <Fact name="Alike in">
          {sticky.by === StickyBy.HEADER ? <code>{sticky.header}</code> : stickyByName(sticky.by)}
          <div className="muted">{stickyWords(sticky)}</div>
        </Fact>
      )}
      <Fact name="Strict">{strict ? "yes: what translation would leave out is refused; a dry run has no body to tell by" : "no"}</Fact>
      <Fact name="Hedge">{hedge ? hedgeWords(hedge) : "none"}</Fact>
      <Fact name="Canary">{canary ? <ShareWords share={canary} /> : "none"}</Fact>
      <Fact name="Shadow">{shadow ? <ShareWords share={shadow} /> : "none"}</Fact>
    </Facts>
  );
}

function ShareWords({ share: { target, perMille } }: { share: DryRunShare }) {
  if (!target) return percentOf(perMille);
  const { label, tone } = fitnessOf(target);
  return (
    <>
      {percentOf(perMille)} to {target.provider} / {target.model} <Badge tone={tone}>{label}</Badge>
      {target.reason && <div className="muted">{target.reason}</div>}
      <Condition target={target} />
    </>
  );
}

const verdicts: Record<ConditionVerdict, string> = {
  [ConditionVerdict.UNSPECIFIED]: "",
  [ConditionVerdict.TRUE]: "true",
  [ConditionVerdict.FALSE]: "false",
  [ConditionVerdict.ERROR]: "an error, which counts as false",
};

function Condition({ target: { when, verdict, verdictError } }: { target: DryRunTarget }) {
  if (!when) return null;
  return (
    <div className="stacked">
      <code>{when}</code> is {(verdicts as Record<number, string | undefined>)[verdict] ?? `verdict ${verdict}`}
      {verdictError && `: ${verdictError}`}
    </div>
  );
}

function titleOf({ weighted, strategy }: DryRunRoute): string {
  if (weighted) return "Candidates, in one order that the weights may draw";
  const ordered = [Strategy.UNSPECIFIED, Strategy.SINGLE, Strategy.PRIORITY].includes(strategy);
  return ordered ? "Candidates, in the order of attempts" : "Candidates, among which the strategy chooses";
}

interface TargetsProps {
  route: DryRunRoute;
  /** What the whole request is refused for, which no target needs to say again. */
  said: string | undefined;
}

function Targets({ route, said }: TargetsProps) {
  return (
    <section className="facts">
      <h3>{titleOf(route)}</h3>
      <Scroller label="Candidates, table">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Target</th>
              <th scope="col">Usable</th>
              <th scope="col" className="num wide-only">
                Input costs
              </th>
              <th scope="col" className="num wide-only">
                At most
              </th>
            </tr>
          </thead>
          <tbody>
            {route.targets.map((target, i) => (
              <Target key={i} target={target} said={said} />
            ))}
          </tbody>
        </table>
      </Scroller>
    </section>
  );
}

function Target({ target, said }: { target: DryRunTarget; said: string | undefined }) {
  const { label, tone } = fitnessOf(target);
  return (
    <tr>
      <th scope="row" className="anywhere" title={target.providerId}>
        {target.provider} / {target.model}
        <div className="stacked">{[weightOf(target), timeoutsOf(target)].filter(Boolean).join(", ")}</div>
        <Condition target={target} />
      </th>
      <td className="anywhere">
        <Badge tone={tone}>{label}</Badge>
        {target.reason && target.reason !== said && <div className="muted">{target.reason}</div>}
        <div className="narrow-only stacked">
          Input costs <InputCost target={target} />, at most <MostCost target={target} />
        </div>
      </td>
      <td className="num wide-only">
        <InputCost target={target} />
      </td>
      <td className="num wide-only">
        <MostCost target={target} />
      </td>
    </tr>
  );
}

function InputCost({ target }: { target: DryRunTarget }) {
  return target.inputCostNanoUsd === undefined ? <span className="muted">unpriced</span> : <Money nano={target.inputCostNanoUsd} />;
}

function MostCost({ target }: { target: DryRunTarget }) {
  if (target.maxCostNanoUsd !== undefined) return <Money nano={target.maxCostNanoUsd} />;
  return <span className="muted">{target.unpriced ? "unpriced" : "not bounded"}</span>;
}

function weightOf({ weight }: DryRunTarget): string {
  return weight > 0n ? `weight ${weight}` : "";
}

function timeoutsOf({ timeouts }: DryRunTarget): string {
  const named = [
    ["connection", timeouts?.connect],
    ["first byte", timeouts?.firstByte],
    ["first token", timeouts?.firstToken],
  ] as const;
  return named.flatMap(([name, value]) => (secondsOf(value) ? [`${name} within ${spanOf(value)}`] : [])).join(", ");
}

const fitnesses: Record<TargetFitness, { label: string; tone: Tone }> = {
  [TargetFitness.UNSPECIFIED]: { label: "Not stated", tone: "plain" },
  [TargetFitness.USABLE]: { label: "Usable", tone: "good" },
  [TargetFitness.BLOCKED]: { label: "Not allowed by the agent", tone: "bad" },
  [TargetFitness.CREDENTIAL_UNAVAILABLE]: { label: "No credential", tone: "bad" },
  [TargetFitness.BEYOND_ATTEMPTS]: { label: "Beyond the attempts", tone: "plain" },
  [TargetFitness.CONDITION]: { label: "Not for this request", tone: "plain" },
  [TargetFitness.UNPRICED]: { label: "No known price", tone: "bad" },
  [TargetFitness.QUOTA]: { label: "Quota used up", tone: "bad" },
};

function fitnessOf({ fitness }: DryRunTarget) {
  const known = (fitnesses as Record<number, { label: string; tone: Tone } | undefined>)[fitness];
  return known ?? { label: `Fitness ${fitness}`, tone: "plain" as const };
}
