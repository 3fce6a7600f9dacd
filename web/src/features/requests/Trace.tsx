import type { RequestAttempt, RequestCandidate } from "../../api/report";
import { formatDuration } from "../../format/duration";
import { formatMoney } from "../../format/money";
import { formatCount } from "../../format/number";
import { Badge } from "../../ui/Badge";
import { Fact, Facts } from "../../ui/Facts";
import { outcomeShape } from "./outcome";
import { causeText, verdictText } from "./words";

/** Choice says of each target of the route why it was, or was not, to be tried. */
export function Choice({ candidates }: { candidates: readonly RequestCandidate[] }) {
  if (candidates.length === 0) return null;
  return (
    <section className="facts">
      <h3>How the target was chosen</h3>
      <ul className="trace">
        {candidates.map((c, i) => (
          <li key={i} className={c.verdict === "chosen" ? "trace-chosen" : undefined}>
            <strong>{`${c.model} at ${c.provider}`}</strong>
            {`: ${verdictText(c.verdict)}`}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Attempts are the calls to providers, each with why it was made and how it ended. */
export function Attempts({ attempts, what }: { attempts: readonly RequestAttempt[]; what: string }) {
  return attempts.map((attempt, i) => <Attempt key={i} attempt={attempt} title={`${what} ${i + 1}`} />);
}

function Attempt({ attempt: a, title }: { attempt: RequestAttempt; title: string }) {
  const { label, tone } = outcomeShape(a.outcome);
  return (
    <Facts title={title}>
      <Fact name="Target">{`${a.model} at ${a.provider}`}</Fact>
      <Fact name="Why">{causeText(a.cause)}</Fact>
      <Fact name="Outcome">
        <Badge tone={tone}>{label}</Badge> {a.status !== 0 && <span className="muted">{a.status}</span>}
      </Fact>
      <Fact name="Began after">{formatDuration(a.startedAfterUs)}</Fact>
      <Fact name="Latency">{formatDuration(a.durationUs)}</Fact>
      <Fact name="First token">
        {a.timeToFirstTokenUs === undefined ? "–" : formatDuration(a.timeToFirstTokenUs)}
      </Fact>
      <Fact name="Tokens">{`${formatCount(a.inputTokens)} in, ${formatCount(a.outputTokens)} out`}</Fact>
      <Fact name="Cost">{a.costNanoUsd === undefined ? "unpriced" : formatMoney(a.costNanoUsd)}</Fact>
    </Facts>
  );
}
