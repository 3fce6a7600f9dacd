// A statement in the address of its page. One that is long stands in the fragment, which
// no server and no proxy sees, and none refuses.

const longestInQuery = 1500;
const mark = "sql.";

export interface Addressed {
  sql: string | undefined;
  hash: string;
}

/** toAddress is where a statement stands in the address. */
export function toAddress(sql: string | undefined): Addressed {
  if (sql === undefined || encodeURIComponent(sql).length <= longestInQuery) return { sql, hash: "" };
  return { sql: undefined, hash: mark + toBase64(sql) };
}

/** fromAddress reads it; undefined where there is none, or nothing that can be read. */
export function fromAddress({ sql, hash }: Addressed): string | undefined {
  if (!hash.startsWith(mark)) return sql;
  try {
    return fromBase64(hash.slice(mark.length));
  } catch {
    return sql;
  }
}

function toBase64(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function fromBase64(text: string): string {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(binary, (c) => c.charCodeAt(0)));
}
