import { createClient } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent, useState } from "react";

import type { Request } from "../gen/weir/admin/v1/report_pb";
import { ReportService } from "../gen/weir/admin/v1/report_pb";
import type { Connection } from "./stream";
import { keepListening } from "./stream";

// The server says something every 5 seconds.
const longestSilence = 15_000;
// What comes within this is told at once.
const batchMs = 200;

interface Tail {
  filter: string;
  /** Some requests that became visible, in no order. */
  onRequests: (requests: Request[]) => void;
}

/** useTailRequests tells of each request that fits a filter as it becomes visible. A connection that is lost is made anew. */
export function useTailRequests({ filter, onRequests }: Tail): Connection {
  const transport = useTransport();
  const queryClient = useQueryClient();
  const [connection, setConnection] = useState<Connection>("connecting");
  const tell = useEffectEvent(onRequests);
  useEffect(() => {
    const left = new AbortController();
    const client = createClient(ReportService, transport);
    let batch: Request[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = () => {
      timer = undefined;
      tell(batch);
      batch = [];
    };
    const listen = async (alive: () => void, signal: AbortSignal) => {
      for await (const { message } of client.tailRequests({ filter }, { signal })) {
        alive();
        if (message.case !== "request") continue;
        batch.push(message.value);
        timer ??= setTimeout(flush, batchMs);
      }
    };
    void keepListening({ listen, longestSilence, left: left.signal, onConnection: setConnection, onLoggedOut: () => void queryClient.invalidateQueries() });
    return () => {
      left.abort();
      clearTimeout(timer);
    };
  }, [filter, transport, queryClient]);
  return connection;
}
