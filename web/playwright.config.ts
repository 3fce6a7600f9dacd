import { defineConfig } from "@playwright/test";

import { findBrowser } from "./e2e/browser";

const { executablePath, env } = await findBrowser();

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  timeout: 30_000,
  workers: 1,
  reporter: "list",
  use: {
    baseURL: process.env.WEIR_URL ?? "http://127.0.0.1:8080",
    browserName: "chromium",
    timezoneId: "Europe/Berlin",
    screenshot: "only-on-failure",
    // Chromium refuses its sandbox to root; the pages are our own.
    launchOptions: { executablePath, env: { ...definedEnv(), ...env }, args: ["--no-sandbox"] },
  },
  projects: [
    { name: "light", use: { colorScheme: "light" } },
    // Of every page, and at both widths; journeys look the same.
    { name: "dark", use: { colorScheme: "dark" }, testMatch: /(main-job|narrow)\.spec\.ts$/ },
  ],
});

function definedEnv(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])));
}
