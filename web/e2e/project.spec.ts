import { expect, test } from "@playwright/test";

import { expectAccessible } from "./accessible";
import { callAdmin } from "./admin";
import { env } from "./env";
import { logIn } from "./login";

test("a_project_is_made_with_a_key_that_is_rotated_and_found_by_name", async ({ page, request }, info) => {
  test.slow(); // many steps, on a busy machine
  const name = `team-${info.project.name}-${Date.now()}`;
  await logIn(page, "/projects");
  await page.getByRole("button", { name: "Create project" }).click();
  const form = page.getByRole("dialog", { name: "Create project" });
  await form.getByRole("textbox", { name: "Name", exact: true }).fill("demo");
  await form.getByRole("button", { name: "Create project" }).click();
  await expect(form.getByRole("alert")).toContainText("exists");
  await form.getByRole("textbox", { name: "Name", exact: true }).fill(name);
  await form.getByLabel("Weight (optional)").fill("7");
  await expectAccessible(page);
  await form.getByRole("button", { name: "Create project" }).click();
  const project = page.getByRole("dialog", { name: "Project", exact: true });
  await expect(project).toContainText("Weight7");
  await expect(project).toContainText("Last usednever");
  await expectAccessible(page);

  const id = new URL(page.url()).searchParams.get("project");
  await project.getByRole("button", { name: "Change" }).click();
  const change = page.getByRole("dialog", { name: `Change ${name}` });
  await callAdmin(request, "ProjectService/UpdateProject", { project: { id, weight: 20 }, updateMask: "weight" });
  await change.getByLabel("Shown as (optional)").fill("A team");
  await change.getByRole("button", { name: "Save project" }).click();
  await expect(change.getByRole("radio", { name: "Theirs: 20" })).toBeChecked();
  await change.getByRole("button", { name: "All theirs" }).click();
  await change.getByRole("button", { name: "Go on with this choice" }).click();
  await change.getByRole("button", { name: "Save project" }).click();
  await expect(change).toBeHidden();

  await project.getByRole("link", { name: "Create key" }).click();
  const create = page.getByRole("dialog", { name: "Create key" });
  await create.getByRole("textbox", { name: "Name", exact: true }).fill("worker");
  await create.getByRole("radio", { name: "Only some" }).check();
  await create.getByRole("checkbox", { name: "demo", exact: true }).check();
  await create.getByText("Weight and priority").click();
  await create.getByLabel("Priority").selectOption("Batch");
  await create.getByText("Labels", { exact: true }).click();
  await create.getByRole("button", { name: "Add label" }).click();
  await create.getByRole("textbox", { name: "Label", exact: true }).fill("team");
  await expectAccessible(page);
  await create.getByRole("button", { name: "Create key" }).click();
  const created = page.getByRole("dialog", { name: "Key created" });
  const first = await created.getByText(/^weir_\w+$/).innerText();
  await created.getByRole("button", { name: "I have copied the key" }).click();

  await page.getByRole("link", { name: "worker", exact: true }).click();
  const key = page.getByRole("dialog", { name: "Key", exact: true });
  await expect(key).toContainText("Routesdemo");
  await expect(key).toContainText("PriorityBatch");
  await key.getByRole("button", { name: "Rotate" }).click();
  const rotate = page.getByRole("dialog", { name: "Rotate worker" });
  await rotate.getByLabel("The old secret keeps working for").selectOption("1 hour");
  await expectAccessible(page);
  await rotate.getByRole("button", { name: "Rotate key" }).click();
  const rotated = page.getByRole("dialog", { name: "Key rotated" });
  await expect(rotated.getByText(/^weir_\w+$/)).not.toHaveText(first);
  await expect(rotated.getByText(/works until .*\(in (59 min|1 h)\)/)).toBeVisible();
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await rotated.getByRole("button", { name: "I have copied the key" }).click();
  await expect(key).toContainText(/Old secret….* works until/);
  await key.getByRole("button", { name: "End it now" }).click();
  await expectAccessible(page);
  await page.getByRole("button", { name: "End old secret" }).click();
  await expect(key).toContainText(/Old secret….* ended/);
  await expect(key).toContainText(/(The only agent refuses|All \d+ agents refuse) it/);
  await expectAccessible(page);

  await page.goto(`${env("WEIR_URL")}/requests`);
  await page.getByRole("combobox", { name: "Key" }).fill("work");
  await expect(page.getByRole("option", { name: "worker" }).first()).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("option", { name: "worker" }).first().click();
  await expect(page).toHaveURL(/[?&]key=[0-9a-f-]{36}/);
  await expect(page.getByRole("heading", { name: "No request fits the filter" })).toBeVisible();
  await expectAccessible(page);

  await page.goto(`${env("WEIR_URL")}/projects?project=${id}`);
  await project.getByRole("button", { name: "Archive" }).click();
  const archive = page.getByRole("alertdialog", { name: `Archive ${name}?` });
  await expect(archive).toContainText("One of its keys still works");
  await expectAccessible(page);
  await archive.getByRole("link", { name: "revoke it" }).click();
  await page.getByRole("button", { name: "Revoke worker" }).click();
  await page.getByRole("button", { name: "Revoke key" }).click();
  await page.goto(`${env("WEIR_URL")}/projects?project=${id}`);
  await project.getByRole("button", { name: "Archive" }).click();
  await archive.getByRole("button", { name: "Archive project" }).click();
  await expect(project).toBeHidden();
  await expect(page.getByRole("link", { name, exact: true })).toHaveCount(0);
});
