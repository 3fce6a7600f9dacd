import type { Gateway } from "../../api/gateway";
import type { Provider } from "../../api/provider";

export const ways = ["shell", "docker", "kubernetes"] as const;
export type Way = (typeof ways)[number];

export interface Enrolment {
  /** The control plane, as this page reached it. */
  url: string;
  token: string;
  gateway: Gateway;
  providers: readonly Provider[];
}

/** What agents may reach without being told, as weir-agent has it (WEIR_ALLOW_UPSTREAMS). */
const known = [
  /^https:\/\/api\.openai\.com$/,
  /^https:\/\/api\.anthropic\.com$/,
  /^https:\/\/generativelanguage\.googleapis\.com$/,
  /^https:\/\/bedrock-runtime(-fips)?\.[a-z]{2}(-[a-z]+){1,2}-[0-9]\.amazonaws\.com$/,
];

/** enrolCommand starts an agent that joins a gateway, to paste into a shell. */
export function enrolCommand(way: Way, enrolment: Enrolment): string {
  switch (way) {
    case "shell":
      return shell(enrolment);
    case "docker":
      return docker(enrolment);
    case "kubernetes":
      return kubernetes(enrolment);
  }
}

function shell({ url, token, gateway, providers }: Enrolment): string {
  const upstreams = allowed(providers);
  return [
    `WEIR_CONTROL_URL=${quoted(url)} \\`,
    `WEIR_ENROLMENT_TOKEN=${quoted(token)} \\`,
    `WEIR_STATE_DIR="$HOME/.weir-agent" \\`,
    ...(upstreams ? [`WEIR_ALLOW_UPSTREAMS=${quoted(upstreams)} \\`] : []),
    ...(gateway.keyFingerprint ? [`WEIR_GATEWAY_KEY_FILE="$PWD/gateway.key" \\`] : []),
    ...variables(providers).map(({ name, provider }) => `${name}="\${${name}:?set it to the credential of ${provider}}" \\`),
    "weir-agent",
  ].join("\n");
}

function docker({ url, token, gateway, providers }: Enrolment): string {
  const upstreams = allowed(providers);
  return [
    "docker run -d --name weir-agent --restart unless-stopped --read-only --cap-drop ALL \\",
    "  -p 8090:8090 -v weir-agent:/var/lib/weir-agent \\",
    `  -e WEIR_CONTROL_URL=${quoted(url)} \\`,
    `  -e WEIR_ENROLMENT_TOKEN=${quoted(token)} \\`,
    ...(upstreams ? [`  -e WEIR_ALLOW_UPSTREAMS=${quoted(upstreams)} \\`] : []),
    ...(gateway.keyFingerprint ? [`  -v "$PWD/gateway.key:/etc/weir/gateway.key:ro" -e WEIR_GATEWAY_KEY_FILE=/etc/weir/gateway.key \\`] : []),
    ...variables(providers).map(({ name, provider }) => `  -e ${name}="\${${name}:?set it to the credential of ${provider}}" \\`),
    ...folders(providers).map((folder) => `  -v ${quoted(`${folder}:${folder}:ro`)} \\`),
    "  weir-agent",
  ].join("\n");
}

function kubernetes({ url, token }: Enrolment): string {
  return [
    `kubectl create secret generic weir-enrolment --from-literal=token=${quoted(token)}`,
    "helm install weir-agent deploy/helm/weir-agent \\",
    `  --set controlUrl=${quoted(url)}`,
  ].join("\n");
}

// allowed are the upstreams that an agent would refuse by itself; "" where it knows all of them.
function allowed(providers: readonly Provider[]): string {
  const entries = providers.flatMap(({ baseUrl, credentialRef }) => {
    const origin = originOf(baseUrl);
    if (!origin || isUsual(origin, credentialRef)) return [];
    return [`${origin}=${credentialRef || "sealed"}`];
  });
  return entries.length > 0 ? ["default", ...new Set(entries)].join(";") : "";
}

function isUsual(origin: string, reference: string): boolean {
  const usual = reference === "" || reference.startsWith("env://WEIR_SECRET_") || reference.startsWith("file:///etc/weir/secrets/");
  return usual && known.some((one) => one.test(origin));
}

function originOf(baseUrl: string): string | undefined {
  return URL.canParse(baseUrl) ? new URL(baseUrl).origin : undefined;
}

// variables are those of the environment that credentials are read from, once each.
function variables(providers: readonly Provider[]): { name: string; provider: string }[] {
  const found = new Map<string, string>();
  for (const { credentialRef, name } of providers) {
    const [, variable] = /^env:\/\/([A-Za-z_][A-Za-z0-9_]*)$/.exec(credentialRef) ?? [];
    if (variable && !found.has(variable)) found.set(variable, name);
  }
  return [...found].map(([name, provider]) => ({ name, provider }));
}

// folders are those that credentials are read from, once each.
function folders(providers: readonly Provider[]): string[] {
  const found = providers.flatMap(({ credentialRef }) => /^file:\/\/(\/.*)\/[^/]+$/.exec(credentialRef)?.[1] ?? []);
  return [...new Set(found)];
}

export interface Sealing {
  organizationId: string;
  gateway: Gateway;
  provider: Provider;
}

/** newKeyCommand makes a gateway's key, which opens what is sealed for it. */
export const newKeyCommand = "weir-agent gateway-key new --out gateway.key";

/** sealCommand seals a credential that is typed, on a machine that may see it. */
export function sealCommand({ organizationId, gateway, provider }: Sealing): string {
  return [
    `weir-agent seal --organization ${organizationId} --gateway ${gateway.id} --provider ${provider.id} \\`,
    `  --base-url ${quoted(provider.baseUrl)} --credential-version 1 \\`,
    `  --public-key ${quoted(base64(gateway.publicKey))} < credential.txt`,
  ].join("\n");
}

/** bytesOf reads base64; undefined where it is none. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text.replace(/\s/g, "")), (c) => c.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

// quoted is one word of a shell, whatever is in it.
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
