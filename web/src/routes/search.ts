// What the URL holds for each page. Anything unknown falls back, so that an old or
// mistyped link still opens.

type Raw = Record<string, unknown>;

/** only has a page see what its reader makes of the URL: the router keeps what a reader leaves out, as it stands there. */
export function only<T extends object>(read: (raw: Raw) => T): (raw: Raw) => T {
  return (raw) => ({ ...Object.fromEntries(Object.keys(raw).map((name) => [name, undefined])), ...read(raw) });
}

export const ranges = ["1h", "24h", "7d", "30d"] as const;
export type Range = (typeof ranges)[number];

export const metrics = ["spend", "requests", "tokens", "latency"] as const;
export type Metric = (typeof metrics)[number];

export interface OverviewSearch {
  /** Absent: 24h. */
  range?: Range;
  /** A period of the viewer's own, milliseconds since the epoch: both or none. It goes before the range. */
  from?: number;
  to?: number;
  /** Absent: spend. */
  metric?: Metric;
  /** What requests are broken down by: route, project, … or label:<name>. Absent: route. */
  by?: string;
}

export function overviewSearch(raw: Raw): OverviewSearch {
  const range = oneOf(ranges, raw.range);
  const metric = oneOf(metrics, raw.metric);
  const [from, to, by] = [moment(raw.from), moment(raw.to), text(raw.by)];
  return {
    ...(range && { range }),
    ...(from !== undefined && to !== undefined && from < to && { from, to }),
    ...(metric && { metric }),
    ...(by && { by }),
  };
}

export interface RequestsSearch {
  /** Which requests, as the API's filters are written (AIP-160). Absent: all. */
  filter?: string;
  /** Ids of a project and of a key: only their requests. */
  project?: string | undefined;
  key?: string | undefined;
  /** Absent: newest requests appear by themselves. */
  paused?: true;
  /** Id of the request whose details are open. */
  request?: string;
}

export function requestsSearch(raw: Raw): RequestsSearch {
  const [filter, request] = [text(raw.filter), text(raw.request)];
  return { ...(filter && { filter }), ...texts(raw, ["project", "key"]), ...(raw.paused === true && { paused: true as const }), ...(request && { request }) };
}

export interface KeysSearch {
  create?: true;
  /** Id of a project: only its keys, and a new one is for it. */
  project?: string | undefined;
  /** Id of the key whose details are open. */
  key?: string;
}

export function keysSearch(raw: Raw): KeysSearch {
  const key = text(raw.key);
  return { ...(raw.create === true && { create: true as const }), ...texts(raw, ["project"]), ...(key && { key }) };
}

export interface ProjectsSearch {
  create?: true;
  /** Id of the project whose details are open. */
  project?: string;
}

export function projectsSearch(raw: Raw): ProjectsSearch {
  const project = text(raw.project);
  return { ...(raw.create === true && { create: true as const }), ...(project && { project }) };
}

export interface AgentsSearch {
  /** Id of the agent whose details are open. */
  agent?: string;
}

export function agentsSearch(raw: Raw): AgentsSearch {
  const agent = text(raw.agent);
  return agent ? { agent } : {};
}

export interface RoutingSearch {
  /** Which form is open. */
  create?: "route" | "provider" | undefined;
  /** Id of the route whose details are open. */
  route?: string | undefined;
}

export function routingSearch(raw: Raw): RoutingSearch {
  const create = oneOf(["route", "provider"] as const, raw.create);
  const route = text(raw.route);
  return { ...(create && { create }), ...(route && { route }) };
}

/** DryRunSearch is a request that is described, not sent. */
export interface DryRunSearch {
  gateway?: string | undefined;
  /** Absent: any. */
  agent?: string | undefined;
  /** "key:" or "project:" and an id. */
  caller?: string | undefined;
  /** What it writes in `model`. */
  route?: string | undefined;
  /** Tokens. Absent: 1000. */
  input?: number;
  /** Tokens at most. Absent: no cap. */
  output?: number;
  /** What conditions look at, as "name=value; name=value". */
  metadata?: string | undefined;
  headers?: string | undefined;
  /** Absent: the answer is no stream. */
  stream?: true | undefined;
  /** The end user and the run that the request names. */
  user?: string | undefined;
  run?: string | undefined;
}

export function dryRunSearch(raw: Raw): DryRunSearch {
  const said = texts(raw, ["gateway", "agent", "caller", "route", "metadata", "headers", "user", "run"]);
  const counts = (["input", "output"] as const).flatMap((name) => {
    const value = count(raw[name]);
    return value === undefined ? [] : [[name, value]];
  });
  return { ...({ ...said, ...Object.fromEntries(counts) } as DryRunSearch), ...(raw.stream === true && { stream: true as const }) };
}

export const quotaKinds = ["all", "budgets", "limits"] as const;
export const quotaModes = ["hard", "soft", "shadow", "off"] as const;
export const quotaScopes = ["organization", "project", "key", "route", "provider", "end-user", "label"] as const;
export type QuotaScopeName = (typeof quotaScopes)[number];

export interface BudgetsSearch {
  /** Which form is open. */
  create?: "budget" | "limit" | undefined;
  /** Absent: both. */
  kind?: (typeof quotaKinds)[number] | undefined;
  mode?: (typeof quotaModes)[number] | undefined;
  /** What they are about. */
  on?: QuotaScopeName | undefined;
  /** Id of a project: only what is on it or on its keys. */
  project?: string | undefined;
  /** Only those that somebody should look at. */
  near?: true | undefined;
  /** Id of the budget or limit whose details are open. */
  quota?: string | undefined;
  /** Which of the subjects that it counts apart. */
  subject?: string | undefined;
}

export function budgetsSearch(raw: Raw): BudgetsSearch {
  const create = oneOf(["budget", "limit"] as const, raw.create);
  const kind = oneOf(quotaKinds, raw.kind);
  const mode = oneOf(quotaModes, raw.mode);
  const on = oneOf(quotaScopes, raw.on);
  return {
    ...(create && { create }),
    ...(kind && { kind }),
    ...(mode && { mode }),
    ...(on && { on }),
    ...(raw.near === true && { near: true as const }),
    ...(texts(raw, ["project", "quota", "subject"]) as BudgetsSearch),
  };
}

/** HistorySearch is which changes are listed, and which one is open. */
export interface HistorySearch {
  /** Id of what they are about. */
  resource?: string | undefined;
  /** RouteUpdated, or "Route*" for all about routes. */
  kind?: string | undefined;
  /** "member:" or "service_account:" and an id; "operator". */
  actor?: string | undefined;
  /** Id of the request that they came of. */
  request?: string | undefined;
  /** Instants, as ISO 8601 has them: recorded at or after, and before. */
  from?: string | undefined;
  until?: string | undefined;
  /** Version of the event whose details are open. */
  event?: number | undefined;
}

export function historySearch(raw: Raw): HistorySearch {
  const texts = (["resource", "kind", "actor", "request"] as const).flatMap((name) => {
    const value = text(typeof raw[name] === "number" ? String(raw[name]) : raw[name]);
    return value ? [[name, value]] : [];
  });
  const instants = (["from", "until"] as const).flatMap((name) => {
    const value = instant(raw[name]);
    return value ? [[name, value]] : [];
  });
  const event = count(raw.event);
  return { ...(Object.fromEntries([...texts, ...instants]) as HistorySearch), ...(event && { event }) };
}

/** PastSearch is a moment, by the log's version or by the clock, and what is looked at as it was then. */
export interface PastSearch {
  version?: number | undefined;
  time?: string | undefined;
  /** Kind of resource: "route". Absent: the first that the role may see. */
  kind?: string | undefined;
  /** Id of the resource whose fields are open. */
  resource?: string | undefined;
}

export function pastSearch(raw: Raw): PastSearch {
  const version = count(raw.version);
  const time = instant(raw.time);
  const kind = text(raw.kind);
  const resource = text(raw.resource);
  return { ...(version && { version }), ...(time && { time }), ...(kind && { kind }), ...(resource && { resource }) };
}

/** CompareSearch are two versions of the log. */
export interface CompareSearch {
  from?: number | undefined;
  /** Absent: now. */
  to?: number | undefined;
}

export function compareSearch(raw: Raw): CompareSearch {
  const from = count(raw.from);
  const to = count(raw.to);
  return { ...(from && { from }), ...(to && { to }) };
}

/** PeopleSearch says whose details are open. */
export interface PeopleSearch {
  member?: string | undefined;
  account?: string | undefined;
  /** Who left is listed, too. */
  removed?: true | undefined;
}

export function peopleSearch(raw: Raw): PeopleSearch {
  const member = text(raw.member);
  const account = text(raw.account);
  return { ...(member && { member }), ...(account && { account }), ...(raw.removed === true && { removed: true as const }) };
}

export const alertViews = ["raised", "deliveries", "channels"] as const;
export const alertKinds = ["budget_threshold", "spend_anomaly", "unpriced_usage", "test"] as const;
export const deliveryStates = ["pending", "accepted", "failed"] as const;

export interface AlertsSearch {
  /** Absent: what was raised. */
  show?: (typeof alertViews)[number] | undefined;
  /** Of what was raised. */
  kind?: (typeof alertKinds)[number] | undefined;
  /** Id of a budget: only what was raised about it. */
  budget?: string | undefined;
  /** Of deliveries. */
  state?: (typeof deliveryStates)[number] | undefined;
  /** Id of the alert whose details are open. */
  alert?: string | undefined;
}

export function alertsSearch(raw: Raw): AlertsSearch {
  const show = oneOf(alertViews, raw.show);
  const kind = oneOf(alertKinds, raw.kind);
  const state = oneOf(deliveryStates, raw.state);
  return { ...(show && { show }), ...(kind && { kind }), ...(state && { state }), ...(texts(raw, ["alert", "budget"]) as AlertsSearch) };
}

export const priceViews = ["list", "own", "rerates"] as const;

export interface PricesSearch {
  /** Absent: the price list. */
  show?: (typeof priceViews)[number] | undefined;
  /** What price list or model have in their names. */
  q?: string | undefined;
  /** Id of the provider whose prices are listed. */
  provider?: string | undefined;
  /** For requests that begin then, as ISO 8601 has it. Absent: now. */
  at?: string | undefined;
  /** Name of the price book that is shown, as usage has it. Absent: that of the moment. */
  book?: string | undefined;
  /** Model whose price is open, and of what: the id or the name of a provider, or a price list. */
  price?: string | undefined;
  of?: string | undefined;
  by?: string | undefined;
  list?: string | undefined;
  /** Model that a price is set for; of what, as above. "": one that is still to be said. */
  set?: string | undefined;
  /** Id of the re-rate whose details are open. */
  rerate?: string | undefined;
}

export function pricesSearch(raw: Raw): PricesSearch {
  const show = oneOf(priceViews, raw.show);
  const at = instant(raw.at);
  return {
    ...(show && show !== "list" && { show }),
    ...(at && { at }),
    ...(raw.set === "" && { set: "" }),
    ...(texts(raw, ["q", "provider", "book", "price", "of", "by", "list", "set", "rerate"]) as PricesSearch),
  };
}

export const resultViews = ["rows", "chart"] as const;

/** ReportSearch is a statement, and how its result is looked at. A long statement stands in the fragment. */
export interface ReportSearch {
  /** The statement that was run; absent: the report's, or the example's, as it is. */
  sql?: string;
  /** Values of its parameters, as they are typed; absent: what it begins with. */
  with?: Record<string, string>;
  /** Absent: the chart where the statement says one, else the rows. */
  view?: (typeof resultViews)[number];
}

export interface QuerySearch extends ReportSearch {
  /** Id of a shipped example. */
  example?: string;
}

export function reportSearch(raw: Raw): ReportSearch {
  const sql = text(raw.sql);
  const view = oneOf(resultViews, raw.view);
  const values = typeof raw.with === "object" && raw.with !== null ? Object.entries(raw.with).flatMap(([name, value]) => (isPlain(value) ? [[name, String(value)]] : [])) : [];
  return { ...(sql && { sql }), ...(values.length > 0 && { with: Object.fromEntries(values) as Record<string, string> }), ...(view && { view }) };
}

export function querySearch(raw: Raw): QuerySearch {
  const example = text(raw.example);
  return { ...reportSearch(raw), ...(example && { example }) };
}

function isPlain(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function oneOf<T extends string>(known: readonly T[], value: unknown): T | undefined {
  return known.find((k) => k === value);
}

// texts are the named ones that say something.
function texts(raw: Raw, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (text(raw[name]) ? [[name, raw[name] as string]] : [])));
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function instant(value: unknown): string | undefined {
  return typeof value === "string" && !Number.isNaN(Date.parse(value)) ? value : undefined;
}

// As far as the API's times go, the end of the year 9999.
const lastMoment = 253_402_300_799_999;

function moment(value: unknown): number | undefined {
  const ms = count(value);
  return ms !== undefined && ms <= lastMoment ? ms : undefined;
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
