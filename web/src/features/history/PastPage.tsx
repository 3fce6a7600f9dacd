import "./history.css";

import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";

import type { Event, RevertTarget } from "../../api/history";
import { mayDiff, mayListEvents, mayRevert, useEvent, useVersionAt } from "../../api/history";
import type { PastKind, PastThing } from "../../api/past";
import { pastKinds, usePast } from "../../api/past";
import { dateOf } from "../../api/time";
import { viewerZone } from "../../format/time";
import type { PastSearch } from "../../routes/search";
import { LoadMore } from "../../ui/LoadMore";
import { Page, Panel } from "../../ui/Page";
import { Async, Empty } from "../../ui/State";
import { Time } from "../../ui/Value";
import { useMay } from "../session/permission";
import { MomentForm } from "./MomentForm";
import { useLogNames } from "./names";
import { PastDrawer } from "./PastDrawer";
import { PastTable } from "./PastTable";
import { RevertDialog } from "./RevertDialog";

const route = getRouteApi("/history/past");

/** PastPage shows the configuration as it was at a moment. Nothing on it can be changed. */
export function PastPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay();
  const go = (moment: Pick<PastSearch, "version" | "time">) => void navigate({ search: { kind: search.kind, ...moment } });
  return (
    <Page title="The past" about={`The configuration as it was at a moment. Times in ${viewerZone()}.`} actions={may(mayListEvents) && <Link to="/history">History</Link>}>
      <Panel>
        <MomentForm key={`${search.version} ${search.time}`} version={search.version} time={search.time} onChoose={go} />
      </Panel>
      {search.version || search.time ? <Moment search={search} /> : <NothingChosen />}
    </Page>
  );
}

function NothingChosen() {
  return (
    <Empty title="Choose a moment">
      <p>Write a time above, or a version of the history, and see every route, provider, key, budget and setting as it was then.</p>
    </Empty>
  );
}

// A time stands for the last version that was recorded by then.
function Moment({ search: { version, time, kind, resource } }: { search: PastSearch }) {
  const may = useMay();
  const byTime = useVersionAt(time ? new Date(time) : undefined, version === undefined && may(mayListEvents));
  const byVersion = useEvent(BigInt(version ?? 0));
  const result = version === undefined ? byTime : byVersion;
  const eventOf = (data: NonNullable<typeof result.data>) => ("event" in data ? data.event : "events" in data ? data.events[0] : undefined);
  return (
    <Async<NonNullable<typeof result.data>> result={result} what="version" isEmpty={(d) => !eventOf(d)} empty={<BeforeTheBeginning />}>
      {(data) => {
        const event = eventOf(data);
        return event && <Past event={event} asked={time ? new Date(time) : undefined} kind={kind} resource={resource} />;
      }}
    </Async>
  );
}

function BeforeTheBeginning() {
  return (
    <Empty title="There was nothing yet">
      <p>The organization did not exist at that time. Choose a later one.</p>
    </Empty>
  );
}

interface PastProps {
  /** The last one by then. */
  event: Event;
  asked: Date | undefined;
  kind: string | undefined;
  resource: string | undefined;
}

function Past({ event, asked, kind, resource }: PastProps) {
  const may = useMay();
  const navigate = route.useNavigate();
  const names = useLogNames();
  const offered = pastKinds.filter(({ permission }) => may(permission));
  const shown = offered.find((one) => one.kind === kind) ?? offered[0];
  const [reverting, setReverting] = useState<RevertTarget>();
  const close = () => void navigate({ search: (s) => ({ ...s, resource: undefined }) });
  return (
    <>
      <Banner event={event} asked={asked} onRevert={may(mayRevert) ? setReverting : undefined} />
      {shown && (
        <div className="past">
          <nav aria-label="Kinds of things" className="past-kinds">
            {offered.map((one) => (
              <Link key={one.kind} from="/history/past" search={(s) => ({ ...s, kind: one.kind, resource: undefined })} aria-current={one === shown ? "true" : undefined}>
                {one.label}
              </Link>
            ))}
          </nav>
          <List key={shown.kind} shown={shown} version={event.version}>
            {(things) => {
              const open = things.find(({ id }) => id === resource);
              return (
                <>
                  <PastTable kind={shown} things={things} names={names} />
                  {open && <PastDrawer kind={shown} thing={open} version={event.version} names={names} onRevert={may(mayRevert) ? setReverting : undefined} onClose={close} />}
                </>
              );
            }}
          </List>
        </div>
      )}
      {reverting && <RevertDialog target={reverting} names={names} onClose={() => setReverting(undefined)} />}
    </>
  );
}

interface ListProps {
  shown: PastKind;
  version: bigint;
  children: (things: PastThing[]) => React.ReactNode;
}

function List({ shown, version, children }: ListProps) {
  const result = usePast(shown, version);
  const things = result.data?.pages.flatMap((page) => page.things) ?? [];
  const what = shown.label.toLowerCase();
  const nothing = (
    <Empty title={`No ${what} then`}>
      <p>At that moment there were none.</p>
    </Empty>
  );
  return (
    <Panel title={shown.label} aside={<span className="muted">as of version {String(version)}</span>}>
      <Async result={result} what={what} isEmpty={() => things.length === 0} empty={nothing}>
        {() => children(things)}
      </Async>
      <LoadMore query={result} />
    </Panel>
  );
}

interface BannerProps {
  event: Event;
  asked: Date | undefined;
  onRevert: ((target: RevertTarget) => void) | undefined;
}

function Banner({ event, asked, onRevert }: BannerProps) {
  const may = useMay();
  const { version } = event;
  return (
    <section className="notice notice-warn past-banner" aria-label="This is the past">
      <span>
        <b>
          This is the past: {asked ? <Time at={asked} /> : <Time at={dateOf(event.recordedAt)} />}, version {String(version)} of the history.
        </b>{" "}
        Nothing here can be changed.{" "}
        {asked && (
          <>
            The last change by then was{" "}
            <Link to="/history" search={{ event: Number(version) }}>
              of <Time at={dateOf(event.recordedAt)} />
            </Link>
            .
          </>
        )}
      </span>
      <span className="past-tools">
        {may(mayDiff) && (
          <Link to="/history/compare" search={{ from: Number(version) }} className="button button-small">
            What changed since
          </Link>
        )}
        {onRevert && (
          <button type="button" className="button button-small" onClick={() => onRevert({ version })}>
            Go back to this…
          </button>
        )}
        <Link to="/history" className="button button-small">
          Leave the past
        </Link>
      </span>
    </section>
  );
}
