import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import type { Page } from "@playwright/test";
import { expect, test } from "@playwright/test";

import { logIn } from "../e2e/login";
import type { Shown } from "./traffic";
import { fill } from "./traffic";

// Every page in both themes and at both widths, to look at: nothing is compared.

const folder = join(import.meta.dirname, "../../.weir/screenshots");
const widths = [1440, 390];
const schemes = ["light", "dark"] as const;

let shown: Shown;

test.beforeAll(async ({ playwright }) => {
  takeEnvironment();
  const request = await playwright.request.newContext();
  shown = await fill(request);
  await request.dispose();
  await mkdir(folder, { recursive: true });
});

for (const colorScheme of schemes) {
  for (const width of widths) {
    test(`${colorScheme}_${width}`, async ({ page }) => {
      test.setTimeout(300_000);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.setViewportSize({ width, height: 900 });
      const shoot = async (name: string) => {
        await expect(page.getByRole("status", { name: /^Loading/ })).toHaveCount(0, { timeout: 20_000 });
        await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`), fullPage: true });
      };
      await page.goto("/keys");
      await expect(page.getByRole("heading", { name: "Log in to the console" })).toBeVisible();
      await shoot("login");
      await logIn(page, "/");
      for (const [name, path] of addresses(shown)) {
        await page.goto(path);
        await expect(page.getByRole("heading", { level: 1 }).or(page.getByRole("dialog")).first()).toBeVisible();
        await settled(page);
        await shoot(name);
      }
      for (const [name, key] of [
        ["palette", "Control+k"],
        ["shortcuts", "?"],
      ] as const) {
        await page.goto("/nowhere");
        await page.getByRole("navigation", { name: "Pages" }).waitFor();
        await page.keyboard.press(key);
        await page.getByRole("dialog").waitFor();
        await shoot(name);
      }
    });
  }
}

function addresses({ key, route, provider, gateway, agent, budget, request }: Shown): [name: string, path: string][] {
  const sql = "SELECT route, model, count() AS requests, sum(cost_usd) AS spend FROM requests GROUP BY route, model ORDER BY spend DESC";
  return [
    ["overview", "/"],
    ["overview-team", "/?by=label:team&metric=requests"],
    ["requests", "/requests"],
    ["request", `/requests?request=${request}`],
    ["routing", "/routing"],
    ["route", `/routing?route=${route}`],
    ["route-form", "/routing?create=route"],
    ["provider-form", "/routing?create=provider"],
    ["provider", `/routing/providers/${provider}`],
    ["dry-run", `/routing/dry-run?route=demo&caller=key:${key}&gateway=${gateway}`],
    ["keys", "/keys"],
    ["key", `/keys?key=${key}`],
    ["key-form", "/keys?create=true"],
    ["budgets", "/budgets"],
    ["budget", `/budgets?quota=${budget}`],
    ["budget-form", "/budgets?create=budget"],
    ["limit-form", "/budgets?create=limit"],
    ["alerts", "/alerts"],
    ["alert-channels", "/alerts?show=channels"],
    ["prices", "/prices"],
    ["agents", "/agents"],
    ["agent", `/agents?agent=${agent}`],
    ["gateway", `/agents/${gateway}`],
    ["history", "/history"],
    ["past", "/history/past"],
    ["compare", "/history/compare?from=1"],
    ["sql", `/sql?sql=${encodeURIComponent(sql)}`],
    ["people", "/people"],
    ["start", "/start"],
    ["not-found", "/nowhere"],
  ];
}

// Charts are drawn and dialogs in their place.
async function settled(page: Page) {
  await expect(page.getByRole("status", { name: /^Loading/ })).toHaveCount(0, { timeout: 20_000 });
  await page.evaluate(() => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next))));
}

// takeEnvironment reads what a stack that was started for this says of itself, as a shell would.
function takeEnvironment() {
  const file = process.env.WEIR_ENV_FILE;
  if (!file) return;
  for (const [, name = "", value = ""] of readFileSync(file, "utf8").matchAll(/^export (\w+)='(.*)'$/gm)) process.env[name] = value;
}
