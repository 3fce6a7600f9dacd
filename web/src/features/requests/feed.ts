import { useEffect, useMemo, useState } from "react";

import { useRequests } from "../../api/report";
import type { Request } from "../../api/report";
import type { Connection } from "../../api/stream";
import { useTailRequests } from "../../api/tail";

/** As many that came are kept, beside those that were listed. */
export const mostKept = 2_000;

interface Arrived {
  /** Newest first. */
  shown: readonly Request[];
  /** What came while it was paused. */
  held: readonly Request[];
}

export interface Feed {
  query: ReturnType<typeof useRequests>;
  /** Newest first, each once; the same list until another request is in it. */
  requests: readonly Request[];
  /** How many came while it was paused, up to mostKept. */
  waiting: number;
  connection: Connection;
  /** show lists what came while it was paused; it stays paused. */
  show: () => void;
}

/** useFeed is the list of requests that fit a filter, and those that come. Where the stream is away, the list is asked for now and then. */
export function useFeed(live: boolean, filter: string): Feed {
  const [arrived, setArrived] = useState<Arrived>({ shown: [], held: [] });
  const show = () => setArrived(({ shown, held }) => ({ shown: merged(held, shown).slice(0, mostKept), held: [] }));
  if (live && arrived.held.length > 0) show();
  const take = (requests: Request[]) =>
    setArrived(({ shown, held }) => (live ? { shown: merged(requests, shown).slice(0, mostKept), held } : { shown, held: merged(requests, held).slice(0, mostKept) }));
  const connection = useTailRequests({ filter, onRequests: take });
  const query = useRequests(live && connection !== "live", filter);
  const { refetch } = query;
  useEffect(() => {
    if (live && connection === "live") void refetch(); // what came before is in no stream
  }, [live, connection, refetch]);
  const { data } = query;
  const requests = useMemo(() => {
    const held = new Set(arrived.held.map(({ requestId }) => requestId));
    const listed = data?.pages.flatMap((page) => page.requests) ?? [];
    return merged(arrived.shown, held.size === 0 ? listed : listed.filter(({ requestId }) => !held.has(requestId)));
  }, [arrived, data]);
  return { query, requests, waiting: arrived.held.length, connection, show };
}

/** merged are the requests of both, each once, newest first. */
export function merged(some: readonly Request[], others: readonly Request[]): readonly Request[] {
  if (some.length === 0) return others;
  const all = new Map([...others, ...some].map((one) => [one.requestId, one]));
  return [...all.values()].sort(newestFirst);
}

function newestFirst(a: Request, b: Request): number {
  const [x, y] = [a.startedAt, b.startedAt];
  const seconds = Number((y?.seconds ?? 0n) - (x?.seconds ?? 0n));
  return seconds || (y?.nanos ?? 0) - (x?.nanos ?? 0) || (a.requestId < b.requestId ? 1 : -1);
}
