import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Page } from "@playwright/test";

// What the console asks, answered with as much as it has to bear: what is measured is the browser alone.

export const points = 10_000;
export const series = 10;
export const rows = 100_000;

type Answer = (request: { sql?: string; from?: string }) => object;

const permissions = [...readFileSync(join(import.meta.dirname, "../../docs/permissions.md"), "utf8").matchAll(/^\| `([^`]+)`/gm)].map(([, permission]) => permission);

const names = (what: string) => Array.from({ length: 20 }, (_, i) => ({ id: `${what}${i}`, name: `${what}-${i}`, projectId: "project1", displayName: `${what} ${i}` }));

const answers: Readonly<Record<string, Answer>> = {
  WhoAmI: () => ({ kind: "member", id: "me", display: "ada@example.com", organizationName: "Demo", role: "ROLE_OWNER", permissions }),
  ListProjects: () => ({ projects: names("project") }),
  ListKeys: () => ({ keys: names("key") }),
  ListRoutes: () => ({ routes: names("route") }),
  GetOverview: ({ from = "" }) => overview(Date.parse(from)),
  ListRequests: () => ({ requests: Array.from({ length: few ? 50 : rows }, (_, i) => request(i)) }),
  GetRequest: () => ({ request: request(0), attempts: [{ requestId: id(0), kind: "request", provider: "openai", model: "gpt-5", outcome: "ok", status: 200, durationUs: "900000" }] }),
  RunQuery: ({ sql = "" }) => (sql.includes("wide") ? manyPoints() : manyRows()),
};

// Streams tell nothing, and what is not here is asked for ever.
const silent = /\/(Tail|Watch)\w+$/;

let few = true;

/** stub answers for the control plane; "many": a list of requests is as long as lists may become. */
export async function stub(page: Page, how: "few" | "many" = "few") {
  few = how === "few";
  await page.route(/\/weir\.admin\.v1\.\w+\/\w+$/, async (route) => {
    const path = new URL(route.request().url()).pathname;
    if (silent.test(path)) return;
    const asked = JSON.parse(route.request().postData() ?? "{}") as Parameters<Answer>[0];
    const answer = answers[path.split("/").at(-1) ?? ""]?.(asked) ?? {};
    await route.fulfill({ contentType: "application/json", body: JSON.stringify(answer) });
  });
}

const newest = Date.UTC(2026, 10, 28, 8);

function id(i: number): string {
  return `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`;
}

function request(i: number): object {
  return {
    requestId: id(i),
    startedAt: new Date(newest - i * 1_000).toISOString(),
    route: "chat",
    keyId: `key${i % 20}`,
    projectId: "project1",
    provider: "openai",
    model: "gpt-5",
    outcome: i % 50 === 0 ? "upstream_error" : "ok",
    status: 200,
    inputTokens: String(i % 4_000),
    outputTokens: String(i % 900),
    costNanoUsd: String(1_000_000 + i),
    durationUs: String(400_000 + (i % 1_000) * 1_000),
    attempts: 1,
  };
}

function overview(from: number): object {
  const hour = Math.ceil(from / 3_600_000) * 3_600_000;
  const totals = (n: number) => ({ requests: String(n), errors: "3", inputTokens: String(n * 900), outputTokens: String(n * 200), costNanoUsd: String(n * 1_000_000), durationP50Us: "700000", durationP95Us: "1900000", timeToFirstTokenP95Us: "340000" });
  const hours = Math.floor((Date.now() - hour) / 3_600_000);
  return { totals: totals(240_000), series: Array.from({ length: hours }, (_, i) => ({ start: new Date(hour + i * 3_600_000).toISOString(), totals: totals(900 + (i % 24) * 20) })), timeZone: "Europe/Berlin" };
}

function manyPoints(): object {
  const columns = [{ name: "minute", type: "DateTime" }, ...Array.from({ length: series }, (_, s) => ({ name: `wide${s}`, type: "UInt64" }))];
  const values = Array.from({ length: points }, (_, i) => [new Date(newest - (points - i) * 60_000).toISOString(), ...Array.from({ length: series }, (_, s) => String(Math.round(1_000 * (s + 1) + 400 * Math.sin(i / 60 + s) + (i % 17) * 9)))]);
  return { columns, rows: values, elapsedUs: "1000", bytes: "1000" };
}

function manyRows(): object {
  const columns = [{ name: "started_at", type: "DateTime" }, { name: "route", type: "String" }, { name: "model", type: "String" }, { name: "tokens", type: "UInt64" }, { name: "cost_usd", type: "Decimal(18, 9)" }, { name: "outcome", type: "String" }];
  const values = Array.from({ length: rows }, (_, i) => [new Date(newest - i * 1_000).toISOString(), "chat", "gpt-5", String(i % 4_000), `0.00${String(i).padStart(7, "0")}`, "ok"]);
  return { columns, rows: values, elapsedUs: "1000", bytes: "1000" };
}
