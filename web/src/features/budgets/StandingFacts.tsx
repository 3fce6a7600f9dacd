import type { Quota, QuotaStanding } from "../../api/quota";
import { QuotaMode, QuotaUnit } from "../../api/quota";
import { dateOf } from "../../api/time";
import { Fact, Facts } from "../../ui/Facts";
import { Money, Time } from "../../ui/Value";
import { Outlook } from "./Forecast";
import { QuotaBar } from "./QuotaBar";
import { countsSpent, excessOf } from "./standing";
import { amountWords, confidenceWords } from "./words";

interface StandingFactsProps {
  quota: Quota;
  standing: QuotaStanding;
  marks: readonly number[];
  /** Whether the window moves on, so that it has no end of its own. */
  rolls: boolean;
}

/** StandingFacts say how it stands at this moment. */
export function StandingFacts({ quota, standing, marks, rolls }: StandingFactsProps) {
  const counts = countsSpent(quota.kind, standing);
  const { forecast, window } = standing;
  const ends = dateOf(window?.endsAt);
  const excess = counts ? excessOf(standing) : 0n;
  const amount = (value: bigint) => <Amount unit={quota.unit} amount={value} />;
  return (
    <>
      <QuotaBar quota={quota} standing={standing} marks={marks} />
      <Facts title="How it stands">
        <Fact name="Outlook">
          <Outlook quota={quota} standing={standing} />
          {forecast && <div className="muted">{confidenceWords(forecast.confidence)}</div>}
        </Fact>
        {window && (
          <Fact name={rolls ? "Counts since" : "Window"}>
            <Time at={dateOf(window.startsAt)} precision="minute" />
            {!rolls && ends && (
              <>
                {" "}
                to <Time at={ends} precision="minute" />
              </>
            )}
          </Fact>
        )}
        <Fact name="Allowed">{amount(standing.limit)}</Fact>
        {standing.raised > 0n && <Fact name="Raised by, of it">{amount(standing.raised)}</Fact>}
        {standing.carriedOver > 0n && <Fact name="Carried over, of it">{amount(standing.carriedOver)}</Fact>}
        {counts && <Fact name="Spent">{amount(standing.spent)}</Fact>}
        <Fact name={counts ? "Held by agents" : "Shares of agents"}>{amount(standing.held)}</Fact>
        {standing.stranded > 0n && <Fact name="Stranded, of it">{amount(standing.stranded)}</Fact>}
        <Fact name="Free">{amount(standing.free)}</Fact>
        {excess > 0n && (
          <Fact name={quota.mode === QuotaMode.SHADOW ? "A hard one would have refused" : "Spent beyond"}>{amount(excess)}</Fact>
        )}
        {standing.overrun > 0n && (
          <Fact name="Overrun">
            {amount(standing.overrun)}
            <div className="muted">spent without a lease, or beyond the limit</div>
          </Fact>
        )}
        {standing.writtenOff > 0n && <Fact name="Written off">{amount(standing.writtenOff)}</Fact>}
        {forecast && forecast.spentAtEnd > 0n && <Fact name="Spent by the end, at this pace">{amount(forecast.spentAtEnd)}</Fact>}
      </Facts>
    </>
  );
}

/** Amount shows an amount exactly in its unit. */
export function Amount({ unit, amount }: { unit: QuotaUnit; amount: bigint }) {
  return unit === QuotaUnit.NANO_USD ? <Money nano={amount} look="column" /> : <span className="nowrap">{amountWords(unit, amount)}</span>;
}
