import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";

import type { APIRequestContext, Page } from "@playwright/test";
import { expect, test } from "@playwright/test";

import { expectAccessible } from "./accessible";
import { env } from "./env";

// An organization of its own, which the installation's operator makes and deletes: the demo's is not empty. The
// commands are run as the page has them, with the built agent.

const local = process.env.WEIR_LOCAL_DIR ?? join(import.meta.dirname, "../../.weir/local");
const agent = process.env.WEIR_AGENT ?? join(import.meta.dirname, "../../.weir/bin/weir-agent");

test("an_empty_organization_comes_to_its_first_request", async ({ page, request }, info) => {
  test.slow(); // many steps, on a busy machine
  const name = `empty-${info.project.name}-${Date.now()}`;
  const made = await callOperator<{ organization: { id: string } }>(request, "CreateOrganization", { name, ownerEmail: env("WEIR_DEMO_EMAIL") });
  const folder = await mkdtemp(join(tmpdir(), "weir-start-"));
  const [port, admin] = [await freePort(), await freePort()];
  const shell = { cwd: folder, env: { PATH: `${dirname(agent)}${delimiter}${process.env.PATH}`, HOME: folder, WEIR_LISTEN: `127.0.0.1:${port}`, WEIR_ADMIN_LISTEN: `127.0.0.1:${admin}`, WEIR_DRAIN_DELAY: "0s" } };
  const run = async (command: string) => (await promisify(execFile)("bash", ["-c", command], shell)).stdout;
  let ended = () => Promise.resolve();
  try {
    await logInTo(page, name);
    await expect(page.getByRole("listitem", { name: "Add a provider" })).toHaveAttribute("aria-current", "step");

    await page.getByRole("button", { name: "Sealed" }).click();
    await page.getByRole("button", { name: "OpenAI", exact: true }).click();
    const provider = page.getByRole("dialog", { name: "Create provider" });
    await provider.getByLabel("Base URL").fill(`${env("WEIR_MOCK_URL")}/v1`);
    await provider.getByRole("button", { name: "Create provider" }).click();
    await page.getByRole("button", { name: "Create route" }).click();
    const route = page.getByRole("dialog", { name: "Create route" });
    await route.getByRole("textbox", { name: "Model" }).fill("gpt-4o-mini");
    await route.getByRole("button", { name: "Create route" }).click();
    await page.getByRole("button", { name: "Create gateway" }).click();

    const credential = page.getByRole("listitem", { name: "Seal the provider's credential" });
    const key = await run(await credential.getByText(/^weir-agent gateway-key/).innerText());
    await credential.getByLabel("Public key").fill(/public key\s+(\S+)/.exec(key)?.[1] ?? "");
    await credential.getByRole("button", { name: "Use this key" }).click();
    await expect(credential).toContainText(/fingerprint\s+(.+)/.exec(key)?.[1] ?? "none");
    await expectAccessible(page);
    await writeFile(join(folder, "credential.txt"), "sk-mock");
    await credential.getByLabel("Sealed credential").fill(await run(await credential.getByText(/^weir-agent seal/).innerText()));
    await credential.getByRole("button", { name: "Save sealed credential" }).click();
    await expect(credential).toHaveCount(0);

    await page.getByRole("button", { name: "Make a command for production" }).click();
    const started = spawn("bash", ["-c", `${await page.getByText(/^WEIR_CONTROL_URL/).innerText()} & agent=$!; trap "kill $agent" TERM; wait; wait`], { ...shell, stdio: "ignore" });
    ended = () => new Promise((resolve) => (started.on("exit", () => resolve()), started.kill("SIGTERM")));
    await expect(page.getByRole("listitem", { name: "Start an agent" })).toContainText("reported", { timeout: 15_000 });

    await page.getByRole("button", { name: "Create project" }).click();
    await page.getByRole("button", { name: "Create key" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("first");
    await dialog.getByRole("button", { name: "Create key" }).click();
    await dialog.getByLabel(/^Address of an agent/).fill(`http://127.0.0.1:${port}`);
    const curl = await dialog.getByText(/^curl/).innerText();
    await dialog.getByRole("button", { name: "I have copied the key" }).click();
    await expect(page.getByText("Waiting for the first request…")).toBeVisible();
    await expect(async () => expect(await run(curl)).toContain("chat.completion")).toPass({ timeout: 10_000 }); // agents have the key in a moment
    await expect(page.getByRole("listitem", { name: "Send the first request" })).toContainText("OK", { timeout: 15_000 });
    await expect(page.getByText("All done: requests are served and recorded.")).toBeVisible();
    await expectAccessible(page);
  } finally {
    await ended();
    await callOperator(request, "SuspendOrganization", { id: made.organization.id, reason: "the test is over" });
    await callOperator(request, "DeleteOrganization", { id: made.organization.id });
    await rm(folder, { recursive: true, force: true });
  }
});

test("the_first_steps_of_who_made_them_are_done", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await logInTo(page, "", "/start");
  await expect(page.getByRole("heading", { level: 1, name: "First steps" })).toBeVisible();
  await expect(page.getByRole("listitem", { name: "Start an agent" })).toContainText("Done");
  await expectAccessible(page);
});

// logInTo is logIn where the person belongs to several organizations.
async function logInTo(page: Page, organization: string, path = "/") {
  await page.goto(path);
  await page.getByRole("link", { name: "Log in" }).click();
  await page.getByLabel("Email").fill(env("WEIR_DEMO_EMAIL"));
  await page.getByLabel("Password").fill(env("WEIR_DEMO_PASSWORD"));
  await page.getByRole("button", { name: "Log in" }).click();
  if (organization) await page.getByRole("button", { name: organization }).click();
  await expect(page.getByRole("navigation", { name: "Pages" })).toBeVisible();
}

async function callOperator<T>(request: APIRequestContext, procedure: string, data: object): Promise<T> {
  const token = (await readFile(join(local, "operator.token"), "utf8")).trim();
  const answer = await request.post(`${env("WEIR_URL")}/weir.admin.v1.OrganizationService/${procedure}`, { headers: { Authorization: `Bearer ${token}` }, data });
  expect(answer.ok(), await answer.text()).toBe(true);
  return (await answer.json()) as T;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
