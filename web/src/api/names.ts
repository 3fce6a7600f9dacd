import type { Transport } from "@connectrpc/connect";
import { useTransport } from "@connectrpc/connect-query";
import { useQuery, useQueryClient } from "@tanstack/react-query";

import { pageSize } from "./page";

/** Names says what ids stand for; undefined until the list is there, or where the role may not read it. */
export type Names = ReadonlyMap<string, string> | undefined;

interface Page {
  items: readonly { id: string; name: string }[];
  nextPageToken: string;
}

type AskPage = (transport: Transport, page: { size: number; token: string }, signal: AbortSignal) => Promise<Page>;

// Names beyond 2,000 stay ids: looking all of them up would cost more than they tell.
const maxPages = 10;

/** useNames reads a whole list once and again every minute, so that new names are known soon. */
export function useNames(list: string, enabled: boolean, ask: AskPage): Names {
  const transport = useTransport();
  const { data } = useQuery({
    queryKey: ["names", list],
    queryFn: ({ signal }) => readNames((token) => ask(transport, { size: pageSize, token }, signal)),
    enabled,
    staleTime: 60_000,
    refetchInterval: 60_000,
  });
  return data;
}

async function readNames(next: (token: string) => Promise<Page>): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  let token = "";
  for (let i = 0; i < maxPages; i++) {
    const page = await next(token);
    for (const { id, name } of page.items) names.set(id, name);
    token = page.nextPageToken;
    if (!token) break;
  }
  return names;
}

/** useForgetNames makes a list's names be read again. */
export function useForgetNames(list: string): () => Promise<void> {
  const queryClient = useQueryClient();
  return () => queryClient.invalidateQueries({ queryKey: ["names", list] });
}
