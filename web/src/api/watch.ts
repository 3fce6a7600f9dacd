import { createClient } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useState } from "react";

import type { Event } from "../gen/weir/admin/v1/history_pb";
import { HistoryService } from "../gen/weir/admin/v1/history_pb";
import type { Connection } from "./stream";
import { keepListening } from "./stream";

export type { Connection } from "./stream";

// The server says something every 15 seconds.
const longestSilence = 40_000;

/**
 * useWatchEvents tells of every event after a version as it is recorded; undefined waits. A connection that
 * is lost is made anew where it was. A login that ended shows as everywhere.
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
        if (message.case === "heartbeat") seen = message.value.version;
        if (message.case !== "event") continue;
        seen = message.value.version;
        tell(message.value);
      }
    };
    void keepListening({ listen, longestSilence, left: left.signal, onConnection: setConnection, onLoggedOut: () => void queryClient.invalidateQueries() });
    return () => left.abort();
  }, [after, transport, queryClient]);
  return connection;
}
