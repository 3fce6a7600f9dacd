/** shortId is the end of an id, which tells ids of one hour apart: their beginning is the time. */
export function shortId(id: string): string {
  return `…${id.slice(-8)}`;
}
