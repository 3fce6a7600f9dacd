import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useState } from "react";

import type { Event } from "../gen/weir/admin/v1/history_pb";
import { HistoryService } from "../gen/weir/admin/v1/history_pb";

/** Connection of a stream: "lost" is being mended, "refused" is not. */
export type Connection = "connecting" | "live" | "lost" | "refused";

const firstWait = 1_000;
const longestWait = 15_000;
// The server says something every 15 seconds; a connection that is silent for longer is dead.
const longestSilence = 40_000;

/**
 * useWatchEvents tells of every event after a version as it is recorded; undefined waits. A connection that
 * is lost is made anew where it was, with longer and longer pauses. A login that ended shows as everywhere.
 */
export function useWatchEvents(after: bigint | undefined, onEvent: (event: Event) => void): Connection {
  const transport = useTransport();
  const queryClient = useQueryClient();
  const [connection, setConnection] = useState<Connection>("connecting");
  const tell = useEffectEvent(onEvent);
  useEffect(() => {
    if (after === undefined) return;
    const left = new AbortController();
    const client = createClient(HistoryService, transport);
    let seen = after;
    const listen = async (alive: () => void, signal: AbortSignal) => {
      for await (const { message } of client.watchEvents({ afterVersion: seen }, { signal })) {
        alive();
        setConnection("live");
        if (message.case === "heartbeat") seen = message.value.version;
        if (message.case !== "event") continue;
        seen = message.value.version;
        tell(message.value);
      }
    };
    const watch = async () => {
      for (let wait = firstWait; ; wait = Math.min(2 * wait, longestWait)) {
        const silent = new AbortController();
        let timer = setTimeout(() => silent.abort(), longestSilence);
        const alive = () => {
          wait = firstWait;
          clearTimeout(timer);
          timer = setTimeout(() => silent.abort(), longestSilence);
        };
        const error = await listen(alive, AbortSignal.any([left.signal, silent.signal])).catch((e: unknown) => ConnectError.from(e));
        clearTimeout(timer);
        if (isOver(left.signal)) return;
        if (error?.code === Code.Unauthenticated) void queryClient.invalidateQueries();
        if (error?.code === Code.Unauthenticated || error?.code === Code.PermissionDenied) {
          setConnection("refused");
          return;
        }
        setConnection("lost");
        await pause(wait, left.signal);
        if (isOver(left.signal)) return;
      }
    };
    void watch();
    return () => left.abort();
  }, [after, transport, queryClient]);
  return connection;
}

// The signal changes while one waits, which the compiler can't know.
function isOver(signal: AbortSignal): boolean {
  return signal.aborted;
}

// pause waits, but no longer than until the browser is online again or the page is left.
function pause(ms: number, left: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      window.removeEventListener("online", end);
      left.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    window.addEventListener("online", end);
    left.addEventListener("abort", end);
  });
}
