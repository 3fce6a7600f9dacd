/** curlSnippet is a first request with a key, to paste into a shell. */
export function curlSnippet(secret: string, route: string): string {
  const body = JSON.stringify({ model: route, messages: [{ role: "user", content: "Hello" }] });
  return [
    `curl "$WEIR_AGENT_URL/v1/chat/completions" \\`,
    `  -H "Authorization: Bearer ${secret}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${body}'`,
  ].join("\n");
}
