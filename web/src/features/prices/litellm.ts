import type { ImportPart } from "../../api/price";

/** PriceFile is a price file in LiteLLM's format, its models by their providers. */
export interface PriceFile {
  name: string;
  providers: ReadonlyMap<string, readonly FileModel[]>;
}

/** FileModel is one entry, as the file has it: no number of it passes through a float. */
export interface FileModel {
  name: string;
  json: string;
}

// Its first entry describes the fields.
const sample = "sample_spec";

/** readPriceFile takes a file apart; a text says why it can't. */
export function readPriceFile(name: string, text: string): PriceFile | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return `It is no JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (!isObject(json)) return "It is no object of models, as model_prices_and_context_window.json is one.";
  const providers = new Map<string, FileModel[]>();
  for (const model of entriesOf(text)) {
    const entry = json[model.name];
    if (model.name === sample || !isObject(entry) || typeof entry.litellm_provider !== "string" || entry.litellm_provider === "") continue;
    const models = providers.get(entry.litellm_provider) ?? [];
    models.push(model);
    providers.set(entry.litellm_provider, models);
  }
  if (providers.size === 0) return "None of its entries has a litellm_provider, so that it has no models.";
  return { name, providers: new Map([...providers].sort(([a], [b]) => (a < b ? -1 : 1))) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// What is between quotes, and what opens, closes or divides.
const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]/g;

/** entriesOf cuts a JSON object, which is known to be one, into its entries. */
export function entriesOf(text: string): FileModel[] {
  const entries: FileModel[] = [];
  let depth = 0;
  let name = "";
  let begin = -1;
  for (const { 0: found, index } of text.matchAll(token)) {
    if (depth === 1 && begin < 0 && found.startsWith('"')) name = JSON.parse(found) as string;
    if (depth === 1 && (found === "," || found === "}") && begin >= 0) {
      entries.push({ name, json: text.slice(begin, index).trim() });
      begin = -1;
    }
    if (depth === 1 && begin < 0 && found === ":") begin = index + 1;
    if (found === "{" || found === "[") depth += 1;
    if (found === "}" || found === "]") depth -= 1;
  }
  return entries;
}

// A request takes 1 MiB.
const mostBytes = 900_000;

/**
 * partsOf are requests for the chosen providers, each with the price list that its models go
 * into. What goes into one list stays together as far as it fits: the server tells models
 * that are there under two names.
 */
export function partsOf({ providers }: PriceFile, chosen: ReadonlyMap<string, string>): ImportPart[] {
  const parts: ImportPart[] = [];
  for (const list of new Set(chosen.values())) {
    const into = [...chosen].filter(([, priceList]) => priceList === list).map(([provider]) => provider);
    const lists = into.map((litellmProvider) => ({ litellmProvider, priceList: list }));
    const models = into.flatMap((provider) => providers.get(provider) ?? []).sort((a, b) => (bareName(a) < bareName(b) ? -1 : 1));
    let texts: string[] = [];
    let size = 0;
    const close = () => {
      if (texts.length > 0) parts.push({ litellm: `{${texts.join(",")}}`, lists });
      texts = [];
      size = 0;
    };
    for (const { name, json } of models) {
      const text = `${JSON.stringify(name)}:${json}`;
      const bytes = new TextEncoder().encode(JSON.stringify(text)).length; // as it stands in the request
      if (size + bytes > mostBytes) close();
      texts.push(text);
      size += bytes;
    }
    close();
  }
  return parts;
}

function bareName({ name }: FileModel): string {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** listFor suggests the price list of a litellm_provider: that of the same name, where there is one. */
export function listFor(litellmProvider: string): string {
  const known: Record<string, string> = { bedrock_converse: "bedrock", moonshotai: "moonshot", zai: "zhipu" };
  return known[litellmProvider] ?? litellmProvider.replaceAll("_", "-");
}
