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

/** usualAddress is where an agent listens that was told nothing else. */
export const usualAddress = "http://127.0.0.1:8090";

/** languages are those that a first request is written in. */
export const languages = ["curl", "python", "typescript"] as const;
export type Language = (typeof languages)[number];

/** What a first request needs; a key that is not known is read from the variable WEIR_KEY, an agent from WEIR_AGENT_URL, where there is one. */
export interface Request {
  secret: string | undefined;
  route: string;
  /** As baseAddress has it. */
  agent: string | undefined;
}

/** snippetOf is a first request, to paste. The SDKs are OpenAI's own. */
export function snippetOf(language: Language, request: Request): string {
  return snippets[language](request).join("\n");
}

const snippets: Record<Language, (request: Request) => string[]> = { curl, python, typescript };

function curl({ secret, route, agent }: Request): string[] {
  const body = JSON.stringify({ model: route, messages: [{ role: "user", content: "Hello" }] });
  return [
    `curl "${agent ?? `\${WEIR_AGENT_URL:-${usualAddress}}`}/v1/chat/completions" \\`,
    `  -H "Authorization: Bearer ${secret ?? "$WEIR_KEY"}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${body}'`,
  ];
}

function python({ secret, route, agent }: Request): string[] {
  return [
    ...(agent && secret ? [] : ["import os", ""]),
    "from openai import OpenAI",
    "",
    "client = OpenAI(",
    `    base_url=${agent ? JSON.stringify(`${agent}/v1`) : `os.environ.get("WEIR_AGENT_URL", "${usualAddress}") + "/v1"`},`,
    `    api_key=${secret ? JSON.stringify(secret) : 'os.environ["WEIR_KEY"]'},`,
    ")",
    "answer = client.chat.completions.create(",
    `    model=${JSON.stringify(route)},`,
    `    messages=[{"role": "user", "content": "Hello"}],`,
    ")",
    "print(answer.choices[0].message.content)",
  ];
}

function typescript({ secret, route, agent }: Request): string[] {
  return [
    `import OpenAI from "openai";`,
    "",
    "const client = new OpenAI({",
    `  baseURL: ${agent ? JSON.stringify(`${agent}/v1`) : `(process.env.WEIR_AGENT_URL ?? "${usualAddress}") + "/v1"`},`,
    `  apiKey: ${secret ? JSON.stringify(secret) : "process.env.WEIR_KEY"},`,
    "});",
    "const answer = await client.chat.completions.create({",
    `  model: ${JSON.stringify(route)},`,
    `  messages: [{ role: "user", content: "Hello" }],`,
    "});",
    "console.log(answer.choices[0]?.message.content);",
  ];
}
