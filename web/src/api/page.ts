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
