import { expect, test } from "@playwright/test";

import { expectAccessible } from "./accessible";
import { logIn } from "./login";

test("somebody_is_invited_gets_a_role_on_a_project_and_goes", async ({ page }, info) => {
  const email = `${info.project.name}-${Date.now()}@example.com`;
  await logIn(page, "/people");
  const people = page.getByRole("region", { name: "People", exact: true });
  await people.getByRole("button", { name: "Invite somebody" }).click();
  await page.getByLabel("Email address").fill(email);
  await page.getByLabel("Role in the organization").selectOption("Projects only");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Invite", exact: true }).click();
  await expect(page.getByRole("dialog", { name: "Invited" })).toContainText("Nothing is sent by mail");
  await page.getByRole("button", { name: "Done" }).click();

  await people.getByRole("link", { name: email }).click();
  const person = page.getByRole("dialog", { name: "Person" });
  await person.getByRole("button", { name: "Give a role on a project" }).click();
  await person.getByLabel("Role on it").selectOption("Operator");
  await expectAccessible(page);
  await person.getByRole("button", { name: "Give role" }).click();
  await expect(person.getByRole("region", { name: "Roles on projects" }).getByRole("listitem")).toContainText("Operator");
  await person.getByRole("button", { name: "Take the invitation back" }).click();
  const question = page.getByRole("alertdialog", { name: "Take the invitation back?" });
  await question.getByRole("button", { name: "Take back" }).click();
  await expect(question).toBeHidden();
  await expect(person.getByText(/Removed$/)).toBeVisible();
});

test("the_last_owner_stays", async ({ page }) => {
  await logIn(page, "/people");
  await page.getByRole("row").filter({ hasText: "(you)" }).getByRole("link").click();
  const person = page.getByRole("dialog", { name: "Person" });
  await person.getByRole("button", { name: "Remove", exact: true }).click();
  const question = page.getByRole("alertdialog", { name: /^Remove/ });
  await expectAccessible(page);
  await question.getByRole("button", { name: "Remove", exact: true }).click();
  await expect(question.getByRole("alert")).toContainText("make somebody else an owner first");
});

test("a_service_accounts_token_is_shown_once_and_revoked", async ({ page }, info) => {
  const name = `bot-${info.project.name}-${Date.now()}`;
  await logIn(page, "/people");
  await page.getByRole("button", { name: "Create service account" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill(name);
  await page.getByRole("dialog").getByRole("button", { name: "Create service account" }).click();
  const account = page.getByRole("dialog", { name: "Service account", exact: true });
  await account.getByRole("button", { name: "Create token" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("ci");
  await page.getByRole("dialog", { name: /^Create a token/ }).getByRole("button", { name: "Create token" }).click();
  const made = page.getByRole("dialog", { name: "Token created" });
  await expect(made.getByText(/^weirsa_\w+$/)).toBeVisible();
  await expectAccessible(page);
  await made.getByRole("button", { name: "I have copied the token" }).click();
  await account.getByRole("button", { name: "Revoke ci" }).click();
  await page.getByRole("button", { name: "Revoke token" }).click();
  await expect(account.getByText(/Revoked$/)).toBeVisible();
  await expectAccessible(page);
  await account.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("button", { name: "Delete service account" }).click();
  await expect(page.getByRole("link", { name })).toHaveCount(0);
});
