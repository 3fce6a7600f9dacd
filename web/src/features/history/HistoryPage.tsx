import "./history.css";

import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";

import type { Event, RevertTarget } from "../../api/history";
import { fits, mayExportEvents, mayRevert, mayWatchEvents, useEvents, useVersionAt } from "../../api/history";
import { mayListMembers, useMemberNames } from "../../api/member";
import { mayListServiceAccounts, useServiceAccountNames } from "../../api/serviceAccount";
import type { Connection } from "../../api/watch";
import { useWatchEvents } from "../../api/watch";
import { viewerZone } from "../../format/time";
import type { HistorySearch } from "../../routes/search";
import { Badge } from "../../ui/Badge";
import { LoadMore } from "../../ui/LoadMore";
import { Page } from "../../ui/Page";
import { Async, Empty } from "../../ui/State";
import { useMay } from "../session/permission";
import { EventDrawer } from "./EventDrawer";
import { ExportDialog } from "./ExportDialog";
import { filterOf, isFiltered } from "./filter";
import { FilterBar } from "./FilterBar";
import { useLogNames } from "./names";
import { RevertDialog } from "./RevertDialog";
import { Timeline } from "./Timeline";

const route = getRouteApi("/history");

/** HistoryPage is the log as people read it: who changed what, when, from where. */
export function HistoryPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay();
  const names = useLogNames();
  const members = useMemberNames(may(mayListMembers));
  const accounts = useServiceAccountNames(may(mayListServiceAccounts));
  const filter = filterOf(search);
  const events = useEvents(filter);
  const listed = events.data?.pages.flatMap((page) => page.events) ?? [];
  const news = useNews(listed[0]?.version, (event) => fits(event, filter));
  const [exporting, setExporting] = useState(false);
  const [reverting, setReverting] = useState<RevertTarget>();
  const change = (part: Partial<HistorySearch>) => void navigate({ search: (s) => ({ ...s, ...part, event: undefined }) });
  const onRevert = may(mayRevert) ? setReverting : undefined;
  return (
    <Page
      title="History"
      about={`Every change in this organization, newest first. Times in ${viewerZone()}.`}
      actions={
        <>
          <LiveState connection={news.connection} />
          <Link to="/history/past" className="button">
            Look at the past
          </Link>
          {may(mayExportEvents) && (
            <button type="button" className="button" onClick={() => setExporting(true)}>
              Export
            </button>
          )}
        </>
      }
    >
      <FilterBar search={search} members={members} accounts={accounts} onChange={change} />
      <News count={news.count} onShow={() => void events.refetch()} />
      <Async result={events} what="history" isEmpty={() => listed.length === 0} empty={<NothingFits filtered={isFiltered(search)} />}>
        {() => <Timeline events={listed} names={names} onRevert={onRevert} />}
      </Async>
      <LoadMore query={events} />
      {search.event && <EventDrawer version={BigInt(search.event)} names={names} onRevert={onRevert} onClose={() => change({})} />}
      {exporting && <ExportDialog filter={filter} filtered={isFiltered(search)} onClose={() => setExporting(false)} />}
      {reverting && <RevertDialog target={reverting} names={names} onClose={() => setReverting(undefined)} />}
    </Page>
  );
}

// A hundred new ones are many; how many more does not matter.
const mostNews = 100;

/** useNews counts what was recorded since the newest event that is listed, of what the filter takes. */
function useNews(newest: bigint | undefined, isShown: (event: Event) => boolean): { count: number; connection: Connection } {
  const allowed = useMay()(mayWatchEvents);
  const [begin] = useVersionAt(undefined, allowed).data?.events ?? [];
  const [since, setSince] = useState<bigint>();
  if (begin && since === undefined) setSince(begin.version);
  const [seen, setSeen] = useState<readonly Event[]>([]);
  const connection = useWatchEvents(since, (event) => setSeen((all) => [...all.slice(1 - mostNews), event]));
  const count = seen.filter((event) => (newest === undefined || event.version > newest) && isShown(event)).length;
  return { count, connection };
}

function LiveState({ connection }: { connection: Connection }) {
  return (
    <span role="status">
      {connection === "live" && <Badge tone="good">Live</Badge>}
      {connection === "lost" && <Badge tone="warn">Connection lost, trying again</Badge>}
    </span>
  );
}

function News({ count, onShow }: { count: number; onShow: () => void }) {
  return (
    <div role="status">
      {count > 0 && (
        <div className="notice history-news">
          <b>{count === 1 ? "1 new change" : `${count >= mostNews ? `${mostNews} or more` : count} new changes`}</b>
          <button type="button" className="button button-small" onClick={onShow}>
            Show
          </button>
        </div>
      )}
    </div>
  );
}

function NothingFits({ filtered }: { filtered: boolean }) {
  return (
    <Empty title={filtered ? "No change fits" : "Nothing has changed yet"}>
      {filtered ? (
        <>
          <p>Nothing was recorded that all of the filters above take.</p>
          <Link to="/history" search={{}}>
            Show every change
          </Link>
        </>
      ) : (
        <p>Every key, route, role and setting that somebody makes, changes or deletes will be listed here.</p>
      )}
    </Empty>
  );
}
