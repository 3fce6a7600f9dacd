import type { DryRunResponse, DryRunTarget } from "../../api/diagnostics";
import { TargetFitness } from "../../api/diagnostics";
import { failureName } from "../../api/route";
import { microsOf, secondsOf } from "../../api/time";
import { formatDuration, formatSpan } from "../../format/duration";
import { formatBytes, formatCount } from "../../format/number";
import type { Tone } from "../../ui/Badge";
import { Badge } from "../../ui/Badge";
import { Fact, Facts } from "../../ui/Facts";
import { Scroller } from "../../ui/Scroller";
import { Money } from "../../ui/Value";
import { AnsweredByFacts } from "./AnsweredBy";

/** DryRunResult is what an agent would do with the described request. */
export function DryRunResult({ result }: { result: DryRunResponse }) {
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
          <Targets targets={route.targets} weighted={route.weighted} />
          <Facts title="Attempts">
            <Fact name="At most">{formatCount(route.maxAttempts)}</Fact>
            <Fact name="A target twice">{route.eachOnce ? "never" : `after up to ${formatDuration(microsOf(route.backoff) ?? 0n)}`}</Fact>
            <Fact name="Another one after">{route.retryOn.map(failureName).join(", ") || "nothing"}</Fact>
          </Facts>
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

function Targets({ targets, weighted }: { targets: readonly DryRunTarget[]; weighted: boolean }) {
  return (
    <section className="facts">
      <h3>{weighted ? "Candidates, in one order that the weights may draw" : "Candidates, in the order of attempts"}</h3>
      <Scroller label="Candidates, table">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">Target</th>
              <th scope="col">Usable</th>
              <th scope="col" className="num">
                Input costs
              </th>
              <th scope="col" className="num">
                At most
              </th>
            </tr>
          </thead>
          <tbody>
            {targets.map((target, i) => (
              <Target key={i} target={target} />
            ))}
          </tbody>
        </table>
      </Scroller>
    </section>
  );
}

function Target({ target }: { target: DryRunTarget }) {
  const { label, tone } = fitnessOf(target);
  return (
    <tr>
      <th scope="row" className="anywhere" title={target.providerId}>
        {target.provider} / {target.model}
        <div className="stacked">{[weightOf(target), timeoutsOf(target)].filter(Boolean).join(", ")}</div>
      </th>
      <td className="anywhere">
        <Badge tone={tone}>{label}</Badge>
        {target.reason && <div className="muted">{target.reason}</div>}
      </td>
      <td className="num">{target.inputCostNanoUsd === undefined ? <span className="muted">unpriced</span> : <Money nano={target.inputCostNanoUsd} />}</td>
      <td className="num">
        {target.maxCostNanoUsd === undefined ? (
          <span className="muted">{target.unpriced ? "unpriced" : "not bounded"}</span>
        ) : (
          <Money nano={target.maxCostNanoUsd} />
        )}
      </td>
    </tr>
  );
}

function weightOf({ weight }: DryRunTarget): string {
  return weight > 0n ? `weight ${weight}` : "";
}

function timeoutsOf({ timeouts }: DryRunTarget): string {
  const firstByte = secondsOf(timeouts?.firstByte);
  return firstByte ? `first byte within ${formatSpan(firstByte)}` : "";
}

const fitnesses: Record<TargetFitness, { label: string; tone: Tone }> = {
  [TargetFitness.UNSPECIFIED]: { label: "Not stated", tone: "plain" },
  [TargetFitness.USABLE]: { label: "Usable", tone: "good" },
  [TargetFitness.BLOCKED]: { label: "Not allowed by the agent", tone: "bad" },
  [TargetFitness.CREDENTIAL_UNAVAILABLE]: { label: "No credential", tone: "bad" },
  [TargetFitness.BEYOND_ATTEMPTS]: { label: "Beyond the attempts", tone: "plain" },
  [TargetFitness.CONDITION]: { label: "Not for this request", tone: "plain" },
};

function fitnessOf({ fitness }: DryRunTarget) {
  const known = (fitnesses as Record<number, { label: string; tone: Tone } | undefined>)[fitness];
  return known ?? { label: `Fitness ${fitness}`, tone: "plain" as const };
}
