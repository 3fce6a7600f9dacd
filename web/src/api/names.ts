import type { Transport } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import { useQuery, useQueryClient } from "@tanstack/react-query";

import { readAll } from "./page";

/** Names says what ids stand for; undefined until the list is there, or where the role may not read it. */
export type Names = ReadonlyMap<string, string> | undefined;

interface Item {
  id: string;
  name: string;
}

interface Page {
  items: readonly Item[];
  nextPageToken: string;
}

type AskPage = (transport: Transport, page: { size: number; token: string }, signal: AbortSignal) => Promise<Page>;

/** useNames reads a whole list once and again every minute, so that new names are known soon. */
export function useNames(list: string, enabled: boolean, ask: AskPage): Names {
  const transport = useTransport();
  const { data } = useQuery({
    queryKey: ["names", list],
    queryFn: ({ signal }) => readNames((page) => ask(transport, page, signal)),
    enabled,
    staleTime: 60_000,
    refetchInterval: 60_000,
  });
  return data;
}

// Names beyond 2,000 stay ids: looking all of them up would cost more than they tell.
async function readNames(ask: Parameters<typeof readAll<Item>>[0]): Promise<ReadonlyMap<string, string>> {
  const items = await readAll(ask);
  return new Map([...items.values()].map(({ id, name }) => [id, name]));
}

/** useForgetNames makes a list's names be read again. */
export function useForgetNames(list: string): () => Promise<void> {
  const queryClient = useQueryClient();
  return () => queryClient.invalidateQueries({ queryKey: ["names", list] });
}
