import "./requests.css";

import { getRouteApi, Link } from "@tanstack/react-router";

import type { Connection } from "../../api/stream";
import { viewerZone } from "../../format/time";
import type { Tone } from "../../ui/Badge";
import { Badge } from "../../ui/Badge";
import { LoadMore } from "../../ui/LoadMore";
import { Page } from "../../ui/Page";
import { Async, Empty } from "../../ui/State";
import { StartLink } from "../start/StartLink";
import type { Feed } from "./feed";
import { mostKept, useFeed } from "./feed";
import { useRequestNames } from "./names";
import { RequestFilter } from "./RequestFilter";
import { RequestDrawer } from "./RequestDrawer";
import { RequestTable } from "./RequestTable";
import { filterOf, WhoseFilter } from "./WhoseFilter";

const route = getRouteApi("/requests");

/** RequestsPage is the live tail: newest first, until it is paused or older ones are loaded. */
export function RequestsPage() {
  return <Requests key={filterOf(route.useSearch())} />;
}

function Requests() {
  const search = route.useSearch();
  const { filter = "", paused, request } = search;
  const navigate = route.useNavigate();
  const asked = filterOf(search);
  const feed = useFeed(!paused, asked);
  const { query, requests } = feed;
  const names = useRequestNames();
  const setPaused = (next: boolean) =>
    void navigate({ search: (s) => ({ ...s, paused: next || undefined }), replace: true });
  const setFilter = (next: string) => void navigate({ search: (s) => ({ ...s, filter: next || undefined, request: undefined }) });
  const close = () => void navigate({ search: (s) => ({ ...s, request: undefined }) });
  return (
    <Page
      title="Requests"
      about={`Newest first. Times in ${viewerZone()}.`}
      actions={<LiveSwitch feed={feed} paused={paused ?? false} onChange={setPaused} />}
    >
      <div className="request-whose" role="group" aria-label="Whose requests">
        <WhoseFilter search={search} names={names} onChange={(part) => void navigate({ search: (s) => ({ ...s, ...part, request: undefined }) })} />
      </div>
      <RequestFilter filter={filter} onChange={setFilter} />
      <Async
        result={query}
        what="requests"
        isEmpty={() => requests.length === 0}
        empty={asked === "" ? <NoRequests /> : <NoneFits />}
      >
        {() => (
          <>
            <RequestTable requests={requests} keys={names.keys} />
            <LoadMore query={query} onLoad={() => setPaused(true)} />
            <RequestDrawer id={request} request={requests.find((r) => r.requestId === request)} names={names} onClose={close} />
          </>
        )}
      </Async>
    </Page>
  );
}

interface LiveSwitchProps {
  feed: Feed;
  paused: boolean;
  onChange: (paused: boolean) => void;
}

const connections: Record<Connection, { tone: Tone; words: string }> = {
  connecting: { tone: "plain", words: "Connecting…" },
  live: { tone: "good", words: "Live" },
  lost: { tone: "warn", words: "Connection lost, trying again" },
  refused: { tone: "warn", words: "Not live" },
};

function LiveSwitch({ feed, paused, onChange }: LiveSwitchProps) {
  const { tone, words } = paused && feed.connection !== "lost" ? ({ tone: "plain", words: "Paused" } as const) : connections[feed.connection];
  return (
    <>
      <span role="status">
        <Badge tone={tone}>{words}</Badge>
      </span>
      {paused && feed.waiting > 0 && (
        <button type="button" className="button" onClick={feed.show}>
          Show {feed.waiting === mostKept ? `the newest ${mostKept}` : `${feed.waiting} new`}
        </button>
      )}
      <button type="button" className="button" onClick={() => onChange(!paused)}>
        {paused ? "Resume" : "Pause"}
      </button>
    </>
  );
}

function NoRequests() {
  return (
    <Empty title="No requests yet">
      <p>Requests show up here within seconds of an agent serving them.</p>
      <p>
        <StartLink>First steps</StartLink> lead to the first one.
      </p>
    </Empty>
  );
}

function NoneFits() {
  return (
    <Empty title="No request fits the filter">
      <p>
        <Link to="/requests">Show all requests</Link>, or ask for less.
      </p>
    </Empty>
  );
}
