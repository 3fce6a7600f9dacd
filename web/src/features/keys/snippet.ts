// Only what needs no quoting in a shell: the address ends up in a command to paste.
const address = /^https?:\/\/[\w.:[\]-]+(\/[\w.~/-]*)?$/;

/**
 * baseAddress is an agent's address as the viewer wrote it, without /v1 and closing
 * slashes; undefined for what is none.
 */
export function baseAddress(written: string): string | undefined {
  const trimmed = written.trim().replace(/\/+$/, "").replace(/\/v1$/, "");
  return address.test(trimmed) ? trimmed : undefined;
}

/** curlSnippet is a first request with a key, to paste into a shell. Without an agent's address it names a variable. */
export function curlSnippet(secret: string, route: string, agent: string | undefined): string {
  const body = JSON.stringify({ model: route, messages: [{ role: "user", content: "Hello" }] });
  return [
    `curl "${agent ?? "$WEIR_AGENT_URL"}/v1/chat/completions" \\`,
    `  -H "Authorization: Bearer ${secret}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${body}'`,
  ].join("\n");
}
