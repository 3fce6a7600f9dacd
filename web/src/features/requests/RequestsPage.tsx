import "./requests.css";

import { getRouteApi, Link } from "@tanstack/react-router";

import { useRequests } from "../../api/report";
import { viewerZone } from "../../format/time";
import { Badge } from "../../ui/Badge";
import { LoadMore } from "../../ui/LoadMore";
import { Page } from "../../ui/Page";
import { Async, Empty } from "../../ui/State";
import { StartLink } from "../start/StartLink";
import { useRequestNames } from "./names";
import { RequestFilter } from "./RequestFilter";
import { RequestDrawer } from "./RequestDrawer";
import { RequestTable } from "./RequestTable";
import { filterOf, WhoseFilter } from "./WhoseFilter";

const route = getRouteApi("/requests");

/** RequestsPage is the live tail: newest first, until it is paused or older ones are loaded. */
export function RequestsPage() {
  const search = route.useSearch();
  const { filter = "", paused, request } = search;
  const navigate = route.useNavigate();
  const asked = filterOf(search);
  const query = useRequests(!paused, asked);
  const names = useRequestNames();
  const setPaused = (next: boolean) =>
    void navigate({ search: (s) => ({ ...s, paused: next || undefined }), replace: true });
  const setFilter = (next: string) => void navigate({ search: (s) => ({ ...s, filter: next || undefined, request: undefined }) });
  const close = () => void navigate({ search: (s) => ({ ...s, request: undefined }) });
  return (
    <Page
      title="Requests"
      about={`Newest first. Times in ${viewerZone()}.`}
      actions={<LiveSwitch paused={paused ?? false} onChange={setPaused} />}
    >
      <div className="request-whose" role="search" aria-label="Whose requests">
        <WhoseFilter search={search} names={names} onChange={(part) => void navigate({ search: (s) => ({ ...s, ...part, request: undefined }) })} />
      </div>
      <RequestFilter key={filter} filter={filter} onChange={setFilter} />
      <Async
        result={query}
        what="requests"
        isEmpty={(d) => d.pages[0]?.requests.length === 0}
        empty={asked === "" ? <NoRequests /> : <NoneFits />}
      >
        {(data) => {
          const requests = data.pages.flatMap((page) => page.requests);
          return (
            <>
              <RequestTable requests={requests} keys={names.keys} />
              <LoadMore query={query} onLoad={() => setPaused(true)} />
              <RequestDrawer
                id={request}
                request={requests.find((r) => r.requestId === request)}
                names={names}
                onClose={close}
              />
            </>
          );
        }}
      </Async>
    </Page>
  );
}

interface LiveSwitchProps {
  paused: boolean;
  onChange: (paused: boolean) => void;
}

function LiveSwitch({ paused, onChange }: LiveSwitchProps) {
  return (
    <>
      <Badge tone={paused ? "plain" : "good"}>{paused ? "Paused" : "Live"}</Badge>
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
