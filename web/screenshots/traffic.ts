import { expect } from "@playwright/test";
import type { APIRequestContext } from "@playwright/test";

import { callAdmin } from "../e2e/admin";
import { env } from "../e2e/env";

interface Made {
  id: string;
}

/** Shown are the resources whose pages are looked at. */
export interface Shown {
  key: string;
  route: string;
  provider: string;
  gateway: string;
  agent: string;
  budget: string;
  request: string;
}

const routes = ["demo", "demo", "demo", "claude", "gemini"];
const teams = ["search", "checkout", "support"];

/** fill has an organization used: requests of several routes and teams, some of which fail, and a budget. */
export async function fill(request: APIRequestContext): Promise<Shown> {
  const { projects } = await callAdmin<{ projects: Made[] }>(request, "ProjectService/ListProjects", {});
  const key = await callAdmin<{ key: Made; secret: string }>(request, "KeyService/CreateKey", { name: `shop-${Date.now()}`, projectId: projects[0]?.id });
  const budget = await callAdmin<{ budget: Made }>(request, "BudgetService/CreateBudget", {
    name: `shop-${Date.now()}`,
    scope: { organization: {} },
    amountNanoUsd: "20000000",
    window: { calendar: { period: "CALENDAR_PERIOD_MONTH", timeZone: "Europe/Berlin" } },
    mode: "QUOTA_MODE_SHADOW",
  });
  await expect(async () => expect(await send(request, key.secret, 0)).toBe(200)).toPass({ timeout: 10_000 }); // agents have the key in a moment
  for (let i = 0; i < 40; i++) await send(request, key.secret, i);
  await request.post(`${env("WEIR_MOCK_URL")}/_script`, { data: [{ kind: "status", status: 503, model: "gpt-4o-mini", times: 3 }] });
  for (let i = 0; i < 4; i++) await send(request, key.secret, 0);
  const first = async (procedure: string) => Object.values(await callAdmin<Record<string, Made[]>>(request, procedure, {}))[0]?.[0]?.id ?? "";
  let newest = "";
  await expect(async () => {
    const { requests } = await callAdmin<{ requests?: { requestId: string; keyId: string }[] }>(request, "ReportService/ListRequests", { filter: "attempts > 0" });
    newest = requests?.find(({ keyId }) => keyId === key.key.id)?.requestId ?? "";
    expect(newest).not.toBe("");
  }).toPass({ timeout: 20_000 });
  return {
    key: key.key.id,
    budget: budget.budget.id,
    route: await first("RouteService/ListRoutes"),
    provider: await first("ProviderService/ListProviders"),
    gateway: await first("GatewayService/ListGateways"),
    agent: await first("GatewayService/ListAgents"),
    request: newest,
  };
}

async function send(request: APIRequestContext, secret: string, i: number): Promise<number> {
  const answer = await request.post(`${env("WEIR_AGENT_URL")}/v1/chat/completions`, {
    headers: { Authorization: `Bearer ${secret}`, "X-Weir-User": `user-${i % 7}`, "X-Weir-Metadata": JSON.stringify({ team: teams[i % teams.length] }) },
    data: { model: routes[i % routes.length], messages: [{ role: "user", content: "What does a weir do? ".repeat(1 + (i % 9)) }], max_tokens: 60 + 10 * i },
  });
  return answer.status();
}
