import { defineConfig } from "@playwright/test";

import base from "./playwright.config";

// The built console, served as files; measure/stub.ts answers what it asks.
const port = 18070;

export default defineConfig({
  ...base,
  testDir: "measure",
  reporter: "line",
  timeout: 120_000,
  projects: [{ name: "measure" }],
  use: { ...base.use, baseURL: `http://127.0.0.1:${port}`, colorScheme: "light" },
  webServer: { command: `npx --no vite preview --host 127.0.0.1 --port ${port} --strictPort`, url: `http://127.0.0.1:${port}`, reuseExistingServer: false },
});
