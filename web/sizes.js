// What the built console weighs, compressed (gzip): a table, and a failure where something passes its bound.
// Bounds are what was measured and a tenth of it. Whoever passes one loads less, or later, or says here why not.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { gzipSync } from "node:zlib";

/** What everybody loads first, the login page included: bytes, and requests for all of it. */
const firstBounds = { script: 165_000, style: 4_200, font: 0, requests: 16 };
/**
 * What a page loads beyond that, its scripts and styles, before it shows anything.
 * @type {Readonly<Record<string, number>>}
 */
const pageBounds = {
  OverviewPage: 46_000,
  RequestsPage: 100_000,
  RoutingPage: 95_000,
  ProviderPage: 55_000,
  DryRunPage: 35_000,
  ProjectsPage: 75_000,
  KeysPage: 89_000,
  BudgetsPage: 101_000,
  AlertsPage: 63_000,
  PricesPage: 98_000,
  AgentsPage: 60_000,
  GatewayPage: 70_000,
  HistoryPage: 69_000,
  PastPage: 83_000,
  ComparePage: 61_000,
  ReportsPage: 38_000,
  // It has CodeMirror in it, and is opened by who asks questions of their own.
  QueryPage: 209_000,
  PeoplePage: 56_000,
  StartPage: 97_000,
};
/** What is loaded later still: dialogs, the palette, what draws charts. */
const laterBound = 25_000;

const dist = join(import.meta.dirname, "dist");
const index = readFileSync(join(dist, "index.html"), "utf8");
const names = readdirSync(join(dist, "assets"));
const sizes = new Map(names.map((name) => [name, gzipSync(readFileSync(join(dist, "assets", name))).length]));
const sum = (/** @type {Iterable<string>} */ files) => [...files].reduce((all, name) => all + (sizes.get(name) ?? 0), 0);
const ending = (/** @type {string} */ end) => (/** @type {string} */ name) => name.endsWith(end);

const first = new Set([...index.matchAll(/\/assets\/([^"]+)"/g)].map(([, name]) => name));
const fonts = names.filter((name) => /\.(woff2?|ttf|otf)$/.test(name));
const pages = pagesOf(readFileSync(join(dist, "assets", [...first].find((name) => name.startsWith("index-") && name.endsWith(".js")) ?? ""), "utf8"));
const ofPages = new Set(pages.flatMap(({ files }) => [...files]));

/** @type {string[]} */
const passed = [];
/** @type {(what: string, is: number, bound: number | undefined, write?: (n: number) => string) => void} */
function hold(what, is, bound, write = kB) {
  const over = bound === undefined || is > bound;
  if (over) passed.push(what);
  process.stdout.write(`${write(is).padStart(10)} of ${bound === undefined ? "?" : write(bound)}`.padEnd(24) + `${what}${over ? "  PASSES ITS BOUND" : ""}\n`);
}

hold("scripts of the first load", sum([...first].filter(ending(".js"))), firstBounds.script);
hold("styles of the first load", sum([...first].filter(ending(".css"))), firstBounds.style);
hold("fonts", sum(fonts), firstBounds.font);
// The page itself, the scripts and styles that it names, and its icon.
hold("requests of the first load", 1 + [...index.matchAll(/(?:src|href)="\//g)].length, firstBounds.requests, String);
for (const { page, files } of pages) hold(page, sum(files), pageBounds[page]);
for (const page of Object.keys(pageBounds).filter((name) => !pages.some(({ page }) => page === name))) hold(`${page}, which there is not`, 0, undefined);
const later = names.filter((name) => !first.has(name) && !ofPages.has(name));
const largest = later.reduce((most, name) => ((sizes.get(name) ?? 0) > (sizes.get(most) ?? 0) ? name : most), "");
hold(`the largest of what comes later, ${largest}`, sum([largest]), laterBound);
if (passed.length > 0) {
  process.stdout.write("the console has become too large: load what is not needed at once by a chunk of its own\n");
  process.exit(1);
}

/**
 * pagesOf are the pages that the router imports, each with all that the browser loads for it, as Vite lists it.
 * @type {(router: string) => { page: string, files: Set<string> }[]}
 */
function pagesOf(router) {
  const [, list = ""] = /__vite__mapDeps=.*?\.f=\[(.*?)\]/.exec(router) ?? [];
  const all = [...list.matchAll(/"assets\/([^"]+)"/g)].map(([, name = ""]) => name);
  const found = [...router.matchAll(/import\(`\.\/((\w+Page)-[\w-]+\.js)`\)(?:(?!import\().){0,80}?(?:__vite__mapDeps\(\[([\d,]*)\]\)|\[\])/g)].map(([, file = "", page = "", deps = ""]) => ({
    page,
    files: new Set([file, ...deps.split(",").filter(Boolean).map((at) => all[Number(at)] ?? "")].filter((name) => !first.has(name))),
  }));
  return found.filter(({ page }, at) => found.findIndex((other) => other.page === page) === at);
}

function kB(/** @type {number} */ bytes) {
  return `${(bytes / 1_000).toFixed(1)} kB`;
}
