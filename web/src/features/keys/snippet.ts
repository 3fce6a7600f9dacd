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

/** languages are those that a first request is written in. */
export const languages = ["curl", "python", "typescript"] as const;
export type Language = (typeof languages)[number];

/** What a first request needs; what is not known is read from the variables WEIR_KEY and WEIR_AGENT_URL. */
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
    `curl "${agent ?? "$WEIR_AGENT_URL"}/v1/chat/completions" \\`,
    `  -H "Authorization: Bearer ${secret ?? "$WEIR_KEY"}" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${body}'`,
  ];
}

function python({ secret, route, agent }: Request): string[] {
  const variable = (name: string) => `os.environ[${JSON.stringify(name)}]`;
  return [
    ...(agent && secret ? [] : ["import os", ""]),
    "from openai import OpenAI",
    "",
    "client = OpenAI(",
    `    base_url=${agent ? JSON.stringify(`${agent}/v1`) : `${variable("WEIR_AGENT_URL")} + "/v1"`},`,
    `    api_key=${secret ? JSON.stringify(secret) : variable("WEIR_KEY")},`,
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
    `  baseURL: ${agent ? JSON.stringify(`${agent}/v1`) : '`${process.env.WEIR_AGENT_URL}/v1`'},`,
    `  apiKey: ${secret ? JSON.stringify(secret) : "process.env.WEIR_KEY"},`,
    "});",
    "const answer = await client.chat.completions.create({",
    `  model: ${JSON.stringify(route)},`,
    `  messages: [{ role: "user", content: "Hello" }],`,
    "});",
    "console.log(answer.choices[0]?.message.content);",
  ];
}
