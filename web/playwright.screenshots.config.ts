import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { defineConfig } from "@playwright/test";

import base from "./playwright.config";

// A stack of its own on ports of its own, or the one that WEIR_URL says.
const root = join(import.meta.dirname, "..");
const dir = join(root, ".weir/screenshots/stack");
const ports = { CONTROL: 18080, AGENT: 18090, ADMIN: 18091, OIDC: 18092, MOCK: 18093, KAFKA: 18094, CLICKHOUSE_HTTP: 18123, CLICKHOUSE_TCP: 18900, POSTGRES: 18432 };
const settings = Object.fromEntries(Object.entries(ports).map(([name, port]) => [`WEIR_PORT_${name}`, String(port)]));

if (!process.env.WEIR_URL) {
  mkdirSync(dir, { recursive: true });
  process.env.WEIR_ENV_FILE = join(dir, "env");
}

export default defineConfig({
  ...base,
  testDir: "screenshots",
  projects: [{ name: "screenshots" }],
  ...(!process.env.WEIR_URL && {
    use: { ...base.use, baseURL: `http://127.0.0.1:${ports.CONTROL}` },
    webServer: {
      command: join(root, ".weir/launcher run"),
      cwd: root,
      env: { ...settings, WEIR_LOCAL_DIR: dir },
      wait: { stdout: /Weir is up/ },
      timeout: 300_000,
      gracefulShutdown: { signal: "SIGINT", timeout: 30_000 },
    },
  }),
});
