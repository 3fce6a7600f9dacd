import type { ReactNode } from "react";

import type { Totals } from "../../api/report";
import { formatDuration } from "../../format/duration";
import { shareOf } from "../../format/money";
import { formatCount, formatTenths } from "../../format/number";
import { Spend, spendNotes } from "./spend";

/** Tiles are the period's totals. */
export function Tiles({ totals }: { totals: Totals }) {
  const { requests, errors, inputTokens, outputTokens } = totals;
  return (
    <dl className="tiles">
      <Tile label="Spend" note={spendNotes(totals).join(", ") || "all priced"}>
        <Spend totals={totals} look="headline" />
      </Tile>
      <Tile label="Requests" note="in this period">
        {formatCount(requests)}
      </Tile>
      <Tile label="Tokens" note={`${formatCount(inputTokens)} in, ${formatCount(outputTokens)} out`}>
        {formatCount(inputTokens + outputTokens)}
      </Tile>
      <Tile label="Errors" note={`${formatTenths(shareOf(errors, requests))} of requests`} bad={errors > 0n}>
        {formatCount(errors)}
      </Tile>
      <Tile label="Latency p95" note={`p50 ${durationText(totals.durationP50Us)}, without refusals`}>
        {durationText(totals.durationP95Us)}
      </Tile>
      <Tile label="First token p95" note="to the first content of an answer">
        {durationText(totals.timeToFirstTokenP95Us)}
      </Tile>
    </dl>
  );
}

interface TileProps {
  label: string;
  note: string;
  bad?: boolean;
  children: ReactNode;
}

export function Tile({ label, note, bad = false, children }: TileProps) {
  return (
    <div className={bad ? "tile tile-bad" : "tile"}>
      <dt>{label}</dt>
      <dd className="tile-value">{children}</dd>
      <dd className="tile-note muted">{note}</dd>
    </div>
  );
}

function durationText(us: bigint | undefined): string {
  return us === undefined ? "–" : formatDuration(us);
}
