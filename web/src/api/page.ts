/** The largest page of a list that the console asks for at once. */
export const pageSize = 200;

interface Listed {
  nextPageToken: string;
}

/** The first page of a list ordered by name. */
export const firstPage = { size: pageSize, token: "" };

/** nextPage asks for what follows, or undefined at the end. */
export function nextPage(last: Listed) {
  return last.nextPageToken ? { size: pageSize, token: last.nextPageToken } : undefined;
}

const maxPages = 10;

/** readAll reads a whole list by the ids of what is in it: its first 2,000, which is as many as there can be of limits and budgets. */
export async function readAll<T extends { id: string }>(
  ask: (page: { size: number; token: string }) => Promise<{ items: readonly T[]; nextPageToken: string }>,
): Promise<ReadonlyMap<string, T>> {
  const found = new Map<string, T>();
  let token = "";
  for (let i = 0; i < maxPages; i++) {
    const page = await ask({ size: pageSize, token });
    for (const item of page.items) found.set(item.id, item);
    token = page.nextPageToken;
    if (!token) break;
  }
  return found;
}
