import type { MessageInitShape } from "@bufbuild/protobuf";
import { toJson } from "@bufbuild/protobuf";
import type { ListValue, Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectQueryKey, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import type { Column, RunQueryResponse } from "../gen/weir/admin/v1/report_pb";
import { QueryLimit, ReportService } from "../gen/weir/admin/v1/report_pb";

export type { Column } from "../gen/weir/admin/v1/report_pb";

/** Statement is what runs: a text, what its parameters are, and the time zone that it is about. */
export interface Statement {
  sql: string;
  /** By name, as ClickHouse reads them. */
  parameters: Readonly<Record<string, string>>;
  /** IANA name. */
  timeZone: string;
}

/** Cell is one value of a result: integers of 64 bits, decimals and times are strings. */
export type Cell = null | number | string | boolean | readonly Cell[] | { readonly [name: string]: unknown };

export interface Result {
  columns: Column[];
  rows: Cell[][];
  elapsedUs: bigint;
  /** About how much the rows are, as JSON. */
  bytes: bigint;
  /** What cut it off: how many rows, or how many bytes; absent: nothing did. */
  cutBy?: "rows" | "bytes";
}

function wire({ sql, parameters, timeZone }: Statement) {
  const values = Object.entries(parameters).map(([name, value]): [string, MessageInitShape<typeof ValueSchema>] => [
    name,
    { kind: { case: "stringValue", value } },
  ]);
  return { sql, parameters: Object.fromEntries(values), timeZone };
}

const nothing: Statement = { sql: "", parameters: {}, timeZone: "" };

/** useRunStatement runs a statement once; undefined runs nothing. cancel stops it, and nothing is shown of it. */
export function useRunStatement(statement: Statement | undefined) {
  const queryClient = useQueryClient();
  const transport = useTransport();
  const input = wire(statement ?? nothing);
  const query = useQuery(ReportService.method.runQuery, input, {
    enabled: statement !== undefined,
    staleTime: Infinity,
    retry: false,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    select: toResult,
  });
  const queryKey = createConnectQueryKey({ schema: ReportService.method.runQuery, transport, input, cardinality: "finite" });
  return { ...query, cancel: () => queryClient.cancelQueries({ queryKey }) };
}

/** useAsk answers a small question of the console's own; it is asked once. */
export function useAsk(sql: string, enabled: boolean) {
  return useQuery(ReportService.method.runQuery, { sql }, { enabled, staleTime: 300_000, retry: false, refetchOnWindowFocus: false, select: toResult });
}

function toResult(response: RunQueryResponse): Result {
  const { columns, rows, elapsedUs, bytes, truncated, limitedBy } = response;
  return {
    columns,
    rows: rows.map(cellsOf),
    elapsedUs,
    bytes,
    ...(truncated && { cutBy: limitedBy === QueryLimit.BYTES ? ("bytes" as const) : ("rows" as const) }),
  };
}

function cellsOf(row: ListValue): Cell[] {
  return row.values.map(cellOf);
}

function cellOf({ kind }: Value): Cell {
  switch (kind.case) {
    case "numberValue":
    case "stringValue":
    case "boolValue":
      return kind.value;
    case "listValue":
      return kind.value.values.map(cellOf);
    case "structValue":
      return toJson(StructSchema, kind.value);
    default:
      return null;
  }
}

/** What the console takes of a long result: as many rows as its table scrolls smoothly, and as many cells as a tab has room for. */
export const mostRows = 100_000;
const mostCells = 3_000_000;

export type Reading = { state: "idle" } | { state: "reading"; rows: number } | { state: "read"; rows: Cell[][]; whole?: { elapsedUs: bigint; bytes: bigint } | undefined } | { state: "failed"; error: unknown };

/** useReadOn reads a statement's result as far as the console takes it, beyond what a first answer holds. */
export function useReadOn(statement: Statement | undefined) {
  const transport = useTransport();
  const [reading, setReading] = useState<Reading>({ state: "idle" });
  const left = useRef<AbortController>(undefined);
  useEffect(() => () => left.current?.abort(), []);
  const start = async () => {
    if (!statement) return;
    const stop = new AbortController();
    left.current = stop;
    const rows: Cell[][] = [];
    setReading({ state: "reading", rows: 0 });
    try {
      const whole = await readRows(createClient(ReportService, transport).streamQuery(wire(statement), { signal: stop.signal }), rows, (count) =>
        setReading({ state: "reading", rows: count }),
      );
      setReading({ state: "read", rows, whole });
      stop.abort(); // nobody reads on
    } catch (error) {
      if (stop.signal.aborted && ConnectError.from(error).code === Code.Canceled) setReading({ state: "idle" });
      else setReading({ state: "failed", error });
    }
  };
  const cancel = () => left.current?.abort();
  return { reading, start, cancel };
}

type Answers = ReturnType<ReturnType<typeof createClient<typeof ReportService>>["streamQuery"]>;

// readRows fills rows, and tells what it took where that is all of them.
async function readRows(answers: Answers, rows: Cell[][], onRows: (count: number) => void): Promise<{ elapsedUs: bigint; bytes: bigint } | undefined> {
  for await (const { message } of answers) {
    if (message.case === "trailer") return message.value;
    if (message.case !== "rows") continue;
    for (const row of message.value.rows) {
      if (rows.length >= mostRows || rows.length * row.values.length >= mostCells) return undefined;
      rows.push(cellsOf(row));
    }
    onRows(rows.length);
  }
  throw new ConnectError("the result broke off", Code.DataLoss);
}

/** What proxies take of an address, with room for the rest of it. */
const longestQuery = 6000;

/** csvAddress is where a statement's whole result is as a file; none where it is too long for an address. A saved report goes by its id. */
export function csvAddress({ sql, parameters, timeZone }: Statement, reportId?: string): string | undefined {
  const query = new URLSearchParams({
    ...(reportId === undefined ? { sql } : { report: reportId }),
    ...Object.fromEntries(Object.entries(parameters).map(([name, value]) => [`param_${name}`, value])),
    time_zone: timeZone,
  }).toString();
  return query.length <= longestQuery ? `/v1/reports/query.csv?${query}` : undefined;
}
