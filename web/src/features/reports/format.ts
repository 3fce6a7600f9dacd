import { codeOf } from "./statement";

// Words that begin a line of their own.
const clauses = /^(SELECT|FROM|WHERE|PREWHERE|GROUP BY|HAVING|ORDER BY|LIMIT|WITH|UNION ALL|UNION DISTINCT|INTERSECT|EXCEPT|QUALIFY|(?:(?:LEFT|RIGHT|FULL|INNER|CROSS|ANY|ASOF|GLOBAL) )*JOIN|ARRAY JOIN|LEFT ARRAY JOIN)$/;
// Words that no column is named by: these alone change their case.
const upper = new Set(
  "SELECT FROM WHERE PREWHERE GROUP BY HAVING ORDER LIMIT OFFSET WITH UNION DISTINCT INTERSECT EXCEPT QUALIFY JOIN ON USING AS AND OR NOT IN IS NULL LIKE ILIKE BETWEEN ASC DESC OVER PARTITION INTERVAL".split(" "),
);
const joined = /^(GROUP|ORDER)$/;
const beforeJoin = /^(LEFT|RIGHT|FULL|INNER|CROSS|ASOF|GLOBAL|ARRAY)$/;
const joins = new Set(["LEFT", "RIGHT", "FULL", "INNER", "CROSS", "ASOF", "GLOBAL", "ARRAY", "ANY", "ALL"]);
const width = 100;

/** tokensOf cuts a statement into comments, quoted texts, words, numbers and marks: without the blanks between them. */
export function tokensOf(text: string): string[] {
  const code = codeOf(text);
  const tokens: string[] = [];
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    const blank = /^\s+/.exec(rest)?.[0];
    if (blank) {
      at += blank.length;
      continue;
    }
    const apart = code[at] === " ";
    const token = apart ? quotedAt(rest) : (/^(\w+(?:\.\d+)?|\{[^{}]*\}|::|->|<=|>=|<>|!=|==|\|\||[^\s\w])/.exec(rest)?.[0] ?? rest.charAt(0));
    tokens.push(token);
    at += token.length;
  }
  return tokens;
}

function quotedAt(rest: string): string {
  const pattern = /^(--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|"(?:[^"\\]|\\[\s\S]|"")*(?:"|$)|`(?:[^`\\]|\\[\s\S]|``)*(?:`|$))/;
  return pattern.exec(rest)?.[0] ?? rest.charAt(0);
}

interface Part {
  /** What begins its line: "SELECT"; empty for the first. */
  clause: string;
  /** Its tokens, and parts of a bracket with a statement of its own. */
  items: string[];
}

/** formatted lays a statement out: a line for each clause, indented in brackets, key words in capitals. Nothing but blanks and the case of key words changes. */
export function formatted(text: string): string {
  const written = lay(tokensOf(text), 0);
  return same(tokensOf(written), tokensOf(text)) ? written : text; // rather untidy than other than it was
}

// Joins are clauses, and in capitals, too.
function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((token, i) => token === b[i] || (/^[A-Z]+$/.test(token) && (upper.has(token) || joins.has(token)) && token === b[i]?.toUpperCase()));
}

function plain(token: string): string {
  return upper.has(token.toUpperCase()) ? token.toUpperCase() : token;
}

function lay(tokens: readonly string[], depth: number): string {
  const parts = partsOf(tokens, depth);
  const pad = "  ".repeat(depth);
  return parts.map((part) => write(part, pad)).join("\n");
}

function write({ clause, items }: Part, pad: string): string {
  if (clause === "") return items.map((item) => pad + item).join("\n");
  const line = `${pad}${clause}${items.length > 0 ? " " : ""}${spaced(items)}`;
  if ((line.length <= width && !line.includes("--")) || !items.includes(",")) return line;
  return `${pad}${clause}\n${listOf(items).map((item) => `${pad}  ${item}`).join("\n")}`;
}

// listOf puts what stands between commas on lines of its own.
function listOf(items: readonly string[]): string[] {
  const lines: string[][] = [[]];
  let open = 0;
  for (const item of items) {
    if (/^[([]$/.test(item)) open++;
    if (/^[)\]]$/.test(item)) open--;
    lines.at(-1)?.push(item);
    if ((item === "," && open === 0) || item.startsWith("--")) lines.push([]);
  }
  return lines.filter((line) => line.length > 0).map(spaced);
}

function partsOf(tokens: readonly string[], depth: number): Part[] {
  const parts: Part[] = [{ clause: "", items: [] }];
  let open = 0;
  for (let i = 0; i < tokens.length; i++) {
    const token = plain(tokens[i] ?? "");
    const last = parts.at(-1);
    if (!last) break;
    if (open === 0 && token.startsWith("--") && (last.clause === "" || i === 0)) {
      last.items.push(token);
      continue;
    }
    if (token === "(" && /^(SELECT|WITH)$/i.test(tokens[i + 1] ?? "")) {
      const end = closing(tokens, i);
      const inner = lay(tokens.slice(i + 1, end), depth + 1);
      last.items.push(`(\n${inner}\n${"  ".repeat(depth)}${tokens[end] ?? ""}`);
      i = end;
      continue;
    }
    if (/^[([]$/.test(token)) open++;
    if (/^[)\]]$/.test(token)) open--;
    const [clause, length] = clauseAt(tokens, i);
    if (open === 0 && clause !== undefined) {
      parts.push({ clause, items: [] });
      i += length - 1;
      continue;
    }
    last.items.push(token);
  }
  return parts.filter(({ clause, items }) => clause !== "" || items.length > 0);
}

function clauseAt(tokens: readonly string[], i: number): [clause: string | undefined, length: number] {
  const word = (at: number) => (tokens[at] ?? "").toUpperCase();
  const first = word(i);
  let length = 1;
  if (joined.test(first) || first === "UNION") length = 2;
  else if (beforeJoin.test(first)) while (length < 4 && word(i + length - 1) !== "JOIN" && i + length < tokens.length) length++;
  const clause = tokens
    .slice(i, i + length)
    .map((token) => token.toUpperCase())
    .join(" ");
  return [clauses.test(clause) ? clause : undefined, length];
}

function closing(tokens: readonly string[], from: number): number {
  let open = 0;
  for (let i = from; i < tokens.length; i++) {
    if (tokens[i] === "(") open++;
    if (tokens[i] === ")" && --open === 0) return i;
  }
  return tokens.length;
}

// spaced puts blanks where a reader expects them.
function spaced(items: readonly string[]): string {
  let line = "";
  let before = "";
  for (const item of items) {
    const tight = line === "" || /^([,)\].:;]|::)$/.test(item) || /^([([.]|::)$/.test(before) || (item === "(" && /^\w+$/.test(before) && !upper.has(before)) || (item === "[" && /^[\w\])]+$/.test(before)) || (item === "(" && before === ")");
    line += (tight ? "" : before.startsWith("--") ? "\n" : " ") + item;
    before = item;
  }
  return line;
}
