import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// `npm run dev` serves the console from here and hands everything else to a
// running control plane.
const controlPlane = process.env.WEIR_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  build: {
    // public/.gitkeep comes back into the emptied folder: embed.go needs a file.
    emptyOutDir: true,
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "^/weir\\.admin\\.v1\\.": controlPlane,
      "/weir/": controlPlane,
      "/v1/reports/": controlPlane,
      "/auth": controlPlane,
    },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    testTimeout: 30_000,
    maxWorkers: "100%",
    setupFiles: ["src/test/setup.ts"],
    env: { TZ: "Europe/Berlin" },
  },
});
