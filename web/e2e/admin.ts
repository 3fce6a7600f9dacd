import type { APIRequestContext } from "@playwright/test";
import { expect } from "@playwright/test";

import { env } from "./env";

/** callAdmin calls an RPC of the administration API as automation does: with a token, not with the browser's session. */
export async function callAdmin<T>(request: APIRequestContext, procedure: string, body: object): Promise<T> {
  const answer = await request.post(`${env("WEIR_URL")}/weir.admin.v1.${procedure}`, {
    headers: { Authorization: `Bearer ${env("WEIR_TOKEN")}` },
    data: body,
  });
  expect(answer.ok(), await answer.text()).toBe(true);
  return (await answer.json()) as T;
}
