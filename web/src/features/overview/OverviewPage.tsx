import "./overview.css";

import { getRouteApi, Link } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";

import type { GetOverviewResponse } from "../../api/report";
import { useOverview } from "../../api/report";
import { useHasServed } from "../../api/start";
import { formatTime, viewerZone } from "../../format/time";
import type { Range } from "../../routes/search";
import { ranges } from "../../routes/search";
import { Page } from "../../ui/Page";
import { Segmented } from "../../ui/Segmented";
import { Async, Empty, Loading } from "../../ui/State";
import { useNow } from "../../ui/useNow";
import { Ago } from "../../ui/Value";
import { useAnswer } from "./answer";
import { Breakdown } from "./Breakdown";
import { MonthSpend } from "./MonthSpend";
import type { Period } from "./period";
import { periodOf } from "./period";
import { Tiles } from "./Tiles";
import { Trend } from "./Trend";

const route = getRouteApi("/");

/** OverviewPage answers who spent what, why it changed, and is it healthy. */
export function OverviewPage() {
  const search = route.useSearch();
  const now = useNow(60_000);
  const period = periodOf(search, now);
  const overview = useOverview({
    from: period.from,
    to: period.open ? undefined : period.to,
    interval: period.interval,
    timeZone: viewerZone(),
  });
  const { answer, waiting } = useAnswer(overview, period, period.name);
  const shown = waiting && answer && hasNoRequests(answer.data) ? undefined : answer;
  return (
    <Page title="Overview" about={<About period={period} updated={waiting ? undefined : answer?.at} />} actions={<Periods />}>
      <Async
        result={{ ...overview, data: shown }}
        what="overview"
        skeleton="tiles"
        isEmpty={({ data }) => hasNoRequests(data)}
        empty={<NoRequests now={now} />}
      >
        {({ data, question }) => (
          <>
            <MonthSpend now={now} />
            <div className="answer" aria-busy={waiting}>
              {data.totals && <Tiles totals={data.totals} />}
            </div>
            <div className="overview-columns">
              <div className="answer" aria-busy={waiting}>
                <Trend data={data} period={question} />
              </div>
              <Breakdown period={period} />
            </div>
          </>
        )}
      </Async>
    </Page>
  );
}

function hasNoRequests({ totals }: GetOverviewResponse): boolean {
  return !totals || totals.requests === 0n;
}

interface AboutProps {
  period: Period;
  /** Absent: nothing of it is shown yet. */
  updated: Date | undefined;
}

function About({ period, updated }: AboutProps) {
  if (period.open) {
    return (
      <>
        {period.label.replace(/^the l/, "L")}
        {updated && <Updated at={updated} />}
      </>
    );
  }
  const zone = viewerZone();
  return (
    <>
      {formatTime(period.from, zone, "minute")} to {formatTime(period.to, zone, "minute")}, {zone}
    </>
  );
}

function Updated({ at }: { at: Date }) {
  const now = useNow(1_000);
  return (
    <>
      , updated <Ago at={at} now={now} />
    </>
  );
}

function Periods() {
  const { range = "24h", from } = route.useSearch();
  const navigate = route.useNavigate();
  const own = from !== undefined;
  const choices = [...ranges.map((value) => ({ value: value, label: value })), ...(own ? [{ value: "own" as const, label: "Zoomed" }] : [])];
  const choose = (next: Range | "own") => {
    if (next === "own") return;
    void navigate({ search: (s) => ({ ...s, range: next, from: undefined, to: undefined }), replace: true });
  };
  return (
    <>
      {own && (
        <Link to="/" search={(s) => ({ ...s, from: undefined, to: undefined })} className="button button-quiet">
          Zoom out
        </Link>
      )}
      <Segmented label="Period" options={choices} value={own ? "own" : range} onChange={choose} />
    </>
  );
}

const FirstSteps = lazy(async () => ({ default: (await import("../start/FirstSteps")).FirstSteps }));

function NoRequests({ now }: { now: Date }) {
  const served = useHasServed();
  // Who follows the steps sees them through to the first request, which ends them.
  const [began, setBegan] = useState(served);
  if (began === undefined && served !== undefined) setBegan(served);
  if (began === undefined) return <Loading what="first steps" shape="table" />;
  if (began) return <QuietPeriod now={now} />;
  return (
    <Suspense fallback={<Loading what="first steps" shape="table" />}>
      <FirstSteps />
    </Suspense>
  );
}

function QuietPeriod({ now }: { now: Date }) {
  return (
    <>
      <MonthSpend now={now} />
      <Empty title="No requests in this period">
        <p>Point an application at an agent with one of your keys. Its requests show up here within seconds.</p>
        <p>
          <Link to="/keys">Create a key</Link> or choose a longer period.
        </p>
      </Empty>
    </>
  );
}
