import "./history.css";

import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";

import type { ResourceChange, RevertTarget } from "../../api/history";
import { ChangeAction, mayRevert, useDiff, useVersionAt } from "../../api/history";
import { viewerZone } from "../../format/time";
import type { CompareSearch } from "../../routes/search";
import { LoadMore } from "../../ui/LoadMore";
import { Page, Panel } from "../../ui/Page";
import { Async, Empty } from "../../ui/State";
import { useMay } from "../session/permission";
import { Changes } from "./Changes";
import { useLogNames } from "./names";
import { RevertDialog } from "./RevertDialog";
import { kindName, runs } from "./words";

const route = getRouteApi("/history/compare");

/** ComparePage says how two versions of the configuration differ. */
export function ComparePage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const newest = useVersionAt(undefined, true).data?.events[0]?.version;
  const to = search.to ? BigInt(search.to) : newest;
  return (
    <Page title="Compare two versions" about={`What is different, resource by resource. Times in ${viewerZone()}.`} actions={<Link to="/history">History</Link>}>
      <Panel>
        <Versions key={`${search.from} ${search.to}`} {...search} onChoose={(next) => void navigate({ search: next })} />
      </Panel>
      {search.from && to ? (
        <Difference key={`${search.from} ${to}`} from={BigInt(search.from)} to={to} now={!search.to} />
      ) : (
        !search.from && (
          <Empty title="Choose two versions">
            <p>Every change in the history has its version: compare from before it to after it, or to today.</p>
          </Empty>
        )
      )}
    </Page>
  );
}

function Versions({ from, to, onChoose }: CompareSearch & { onChoose: (search: CompareSearch) => void }) {
  const [begin, setBegin] = useState(from ? String(from) : "");
  const [end, setEnd] = useState(to ? String(to) : "");
  const version = { inputMode: "numeric", pattern: "[1-9][0-9]{0,14}", title: "A whole number from 1 on", autoComplete: "off" } as const;
  return (
    <form action={() => onChoose({ from: Number(begin), ...(end && { to: Number(end) }) })} className="moment">
      <label>
        From version
        <input required {...version} value={begin} onChange={(event) => setBegin(event.target.value)} />
      </label>
      <label>
        To version
        <input {...version} placeholder="the newest" value={end} onChange={(event) => setEnd(event.target.value)} />
      </label>
      <button type="submit" className="button">
        Compare
      </button>
    </form>
  );
}

interface DifferenceProps {
  from: bigint;
  to: bigint;
  /** Whether the later one is the present: then there is a way back. */
  now: boolean;
}

function Difference({ from, to, now }: DifferenceProps) {
  const names = useLogNames();
  const may = useMay();
  const result = useDiff(from, to, true);
  const [reverting, setReverting] = useState<RevertTarget>();
  const changes = result.data?.pages.flatMap((page) => page.changes) ?? [];
  const byKind = runs(changes, ({ resource }) => resource?.kind ?? "");
  const nothing = (
    <Empty title="Nothing is different">
      <p>
        Version {String(from)} and version {String(to)} have the same configuration.
      </p>
    </Empty>
  );
  return (
    <div className="comparison">
      <div className="comparison-head">
        <p role="status">{result.data && changes.length > 0 && `From version ${from} to ${now ? `${to}, the newest` : to}: ${countOf(changes)}`}</p>
        {now && changes.length > 0 && may(mayRevert) && (
          <button type="button" className="button" onClick={() => setReverting({ version: from })}>
            Go back to version {String(from)}…
          </button>
        )}
      </div>
      <Async result={result} what="differences" isEmpty={() => changes.length === 0 && !result.hasNextPage} empty={nothing}>
        {() =>
          byKind.map(({ key: kind, items }) => (
            <Panel key={kind} title={kindName(kind)}>
              <div className="panel-body">
                <Changes changes={items} names={names} label={`Differences of the kind ${kindName(kind).toLowerCase()}`} />
              </div>
            </Panel>
          ))
        }
      </Async>
      <LoadMore query={result} />
      {reverting && <RevertDialog target={reverting} names={names} onClose={() => setReverting(undefined)} />}
    </div>
  );
}

function countOf(changes: readonly ResourceChange[]): string {
  const count = (action: ChangeAction) => changes.filter((change) => change.action === action).length;
  return `${count(ChangeAction.ADDED)} added, ${count(ChangeAction.CHANGED)} changed, ${count(ChangeAction.REMOVED)} removed.`;
}
