import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import type { GatewaySchema, UpdateGatewayRequest } from "../../gen/weir/admin/v1/gateway_pb";
import { GatewayService, SpoolFull } from "../../gen/weir/admin/v1/gateway_pb";
import { ChangeAction, HistoryService } from "../../gen/weir/admin/v1/history_pb";
import type {
  GoBackRequest,
  HoldRolloutRequest,
  PromoteRolloutRequest,
  ResumeRolloutRequest,
  RolloutSchema,
} from "../../gen/weir/admin/v1/rollout_pb";
import { PromoteTo, RolloutHoldCause, RolloutService, RolloutState, RolloutStrategy } from "../../gen/weir/admin/v1/rollout_pb";
import { openConsole, refuse, stall } from "../../test/console";
import { parseSteps } from "./settings";

type GatewayInit = MessageInitShape<typeof GatewaySchema>;
type RolloutInit = MessageInitShape<typeof RolloutSchema>;

const { getGateway, listAgents, updateGateway } = GatewayService.method;
const { getRollout, goBack, goForward, holdRollout, listRollouts, promoteRollout, resumeRollout } = RolloutService.method;

const noon = timestampFromDate(new Date("2026-11-26T12:00:00Z"));
const canary = { strategy: RolloutStrategy.CANARY, steps: [10, 50], bakeTime: { seconds: 300n }, maxErrorRise: 5, minRequests: 100 };
const staged: GatewayInit = {
  id: "g1",
  name: "prod-eu",
  region: "eu",
  etag: "7",
  rollout: canary,
  stage: { stableVersion: 17n, configurationVersion: 21n, rolloutId: "o1" },
};
const running: RolloutInit = {
  id: "o1",
  gatewayId: "g1",
  state: RolloutState.RUNNING,
  baseVersion: 17n,
  candidateVersion: 21n,
  step: 0,
  agentCount: 1,
  agentIds: ["a1"],
  startedAt: noon,
};
const fleet = [
  { id: "a1", gatewayId: "g1", name: "edge-1", candidate: true, policyVersion: 22n },
  { id: "a2", gatewayId: "g1", name: "edge-2", policyVersion: 18n },
];

interface World {
  gateway?: GatewayInit;
  rollout?: RolloutInit;
  more?: (r: ConnectRouter) => void;
  permissions?: string[];
}

function open({ gateway = staged, rollout = running, more = () => undefined, permissions }: World = {}) {
  return openConsole(
    "/agents/g1",
    (r) => {
      r.rpc(getGateway, () => ({ gateway }));
      r.rpc(listAgents, () => ({ agents: fleet }));
      r.rpc(getRollout, () => ({ rollout }));
      r.rpc(listRollouts, () => ({ rollouts: [rollout] }));
      r.rpc(HistoryService.method.diff, () => ({
        changes: [
          {
            action: ChangeAction.CHANGED,
            resource: { kind: "route", id: "r1", name: "chat" },
            fields: [
              {
                path: "targets",
                before: { kind: { case: "stringValue", value: "small" } },
                after: { kind: { case: "stringValue", value: "large" } },
              },
            ],
          },
          { action: ChangeAction.ADDED, resource: { kind: "key", id: "k1", name: "a-key" } },
          { action: ChangeAction.CHANGED, resource: { kind: "gateway", id: "g2", name: "another" } },
        ],
      }));
      more(r);
    },
    permissions,
  );
}

const button = (name: string) => screen.findByRole("button", { name });
const panel = () => screen.findByRole("region", { name: "Rollout" });

test("loading", async () => {
  open({ more: (r) => r.rpc(getGateway, stall) });
  expect(await screen.findByRole("status", { name: "Loading gateway" })).toBeTruthy();
});

test("error", async () => {
  open({ more: (r) => r.rpc(getGateway, refuse) });
  expect((await screen.findByRole("alert")).textContent).toContain("Your role does not allow this");
});

test("empty_without_agents_and_rollouts", async () => {
  open({
    gateway: { id: "g1", name: "new" },
    more: (r) => {
      r.rpc(listAgents, () => ({}));
      r.rpc(listRollouts, () => ({}));
    },
  });
  expect(await screen.findByRole("heading", { name: "No agents have joined" })).toBeTruthy();
  expect(await screen.findByRole("heading", { name: "No rollouts yet" })).toBeTruthy();
  expect((await panel()).textContent).toMatch(/All at once.*come to every agent at once/);
});

test("a_rollout_under_way_shows_step_agents_and_changes", async () => {
  open();
  const shown = await panel();
  await within(shown).findByText("edge-1");
  expect(within(shown).getByText("Under way")).toBeTruthy();
  const steps = within(shown).getAllByRole("listitem").filter((item) => item.closest("ol"));
  expect(steps.map((step) => step.textContent)).toEqual(["1 agent (here)", "10 %", "50 %", "Every agent"]);
  expect(steps[0]?.getAttribute("aria-current")).toBe("step");
  expect(shown.textContent).toMatch(/Candidateversion 21.*1 agent: edge-1.*Stable, of all othersversion 17/);
  expect(shown.textContent).toMatch(/Each step lasts 5 min at least.*more than 5 percentage points \(judged from 100 requests on\)/);
  const changes = await within(shown).findByRole("list", { name: "What the candidate changes" });
  expect(changes.textContent).toBe('Route chat changestargetsbefore: small → after: large');
  expect((await screen.findByRole("rowheader", { name: /^edge-1/ })).closest("tr")?.textContent).toContain("candidate");
  expect((await screen.findByRole("rowheader", { name: /^edge-2/ })).closest("tr")?.textContent).not.toContain("candidate");
  expect((await screen.findByRole("rowheader", { name: /^Version 17 to 21/ })).closest("tr")?.textContent).toContain("Under way");
});

test.each([
  [RolloutHoldCause.REJECTED, "an agent refused the configuration"],
  [RolloutHoldCause.ERROR_RATE, "more requests fail than before"],
  [RolloutHoldCause.LOST, "its agents are silent"],
  [RolloutHoldCause.REQUESTED, "Held by request"],
])("a_hold_of_cause_%i_says_why", async (cause, words) => {
  open({ rollout: { ...running, state: RolloutState.HELD, hold: { cause, reason: "seen at noon", agentId: "a1" } } });
  const shown = await panel();
  await waitFor(() => expect(shown.textContent).toMatch(/seen at noon It is about agent edge-1/));
  expect(shown.textContent).toContain(words);
  expect(within(shown).getByRole("button", { name: "Resume" })).toBeTruthy();
  expect(within(shown).queryByRole("button", { name: "Hold" })).toBeNull();
});

test("promoting_asks_the_server_what_it_would_do_first", async () => {
  const seen: PromoteRolloutRequest[] = [];
  open({
    more: (r) =>
      r.rpc(promoteRollout, (request) => {
        seen.push(request);
        return { rollout: { ...running, step: 1, agentCount: 2, agentIds: ["a1", "a2"] } };
      }),
  });
  await userEvent.click(await button("Promote to next step"));
  const dialog = await screen.findByRole("alertdialog", { name: "Promote to the next step?" });
  await within(dialog).findByText(/2 agents will have version 21 of the configuration; now it is 1. New are edge-2. The others keep version 17./);
  expect(seen.every((request) => request.mutation?.validateOnly)).toBe(true);
  await userEvent.click(within(dialog).getByRole("button", { name: "Promote" }));
  await waitFor(() => expect(seen.find((request) => !request.mutation?.validateOnly)).toMatchObject({ id: "o1", to: PromoteTo.NEXT_STEP }));
  await waitFor(() => expect(screen.queryByRole("alertdialog")).toBeNull());
});

test("promoting_to_all_says_that_it_ends_the_rollout", async () => {
  open({ more: (r) => r.rpc(promoteRollout, () => ({ rollout: { ...running, state: RolloutState.FINISHED } })) });
  await userEvent.click(await button("Promote to all"));
  expect(await screen.findByText(/Every agent of prod-eu gets version 21 .* and the rollout is over/)).toBeTruthy();
});

test("a_refused_preview_says_why_and_offers_nothing", async () => {
  open({
    more: (r) =>
      r.rpc(promoteRollout, () => {
        throw new ConnectError("version 30 of the configuration waits", Code.FailedPrecondition);
      }),
  });
  await userEvent.click(await button("Promote to next step"));
  const dialog = await screen.findByRole("alertdialog");
  expect((await within(dialog).findByRole("alert")).textContent).toContain("version 30 of the configuration waits");
  expect(within(dialog).getByRole("button", { name: "Promote" })).toHaveProperty("disabled", true);
});

test("holding_sends_the_reason", async () => {
  const seen: HoldRolloutRequest[] = [];
  open({
    more: (r) =>
      r.rpc(holdRollout, (request) => {
        seen.push(request);
        return {};
      }),
  });
  await userEvent.click(await button("Hold"));
  const dialog = await screen.findByRole("alertdialog", { name: "Hold the rollout?" });
  expect(dialog.textContent).toContain("agents that have version 21 keep it, the others keep version 17");
  await userEvent.type(within(dialog).getByRole("textbox"), "weekend");
  await userEvent.click(within(dialog).getByRole("button", { name: "Hold" }));
  await waitFor(() => expect(seen[0]).toMatchObject({ id: "o1", reason: "weekend" }));
});

test("resuming_says_what_held_it", async () => {
  const seen: ResumeRolloutRequest[] = [];
  open({
    rollout: { ...running, state: RolloutState.HELD, hold: { cause: RolloutHoldCause.REQUESTED, reason: "weekend" } },
    more: (r) =>
      r.rpc(resumeRollout, (request) => {
        seen.push(request);
        return {};
      }),
  });
  await userEvent.click(await button("Resume"));
  const dialog = await screen.findByRole("alertdialog", { name: "Resume the rollout?" });
  expect(dialog.textContent).toContain("What held it: weekend");
  await userEvent.click(within(dialog).getByRole("button", { name: "Resume" }));
  await waitFor(() => expect(seen[0]?.id).toBe("o1"));
});

test("going_back_shows_first_what_agents_get", async () => {
  const seen: GoBackRequest[] = [];
  open({
    more: (r) =>
      r.rpc(goBack, (request) => {
        seen.push(request);
        return { changes: [{ action: ChangeAction.REMOVED, resource: { kind: "price_override", id: "p1", name: "ours" } }] };
      }),
  });
  await screen.findByRole("rowheader", { name: /^Version 17 to 21/ });
  await userEvent.click(await button("Go back…"));
  const dialog = await screen.findByRole("dialog", { name: /^Go back to a past configuration/ });
  expect(within(dialog).getByLabelText("Version of the log")).toHaveProperty("value", "17");
  await userEvent.type(within(dialog).getByLabelText(/^Reason/), "errors");
  await userEvent.click(within(dialog).getByRole("button", { name: "Show what would change" }));
  expect((await within(dialog).findByRole("list", { name: "What would change" })).textContent).toBe("Price override ours is removed");
  expect(seen.map((request) => request.mutation?.validateOnly)).toEqual([true]);
  await userEvent.click(within(dialog).getByRole("button", { name: "Go back to version 17" }));
  await waitFor(() => expect(seen[1]).toMatchObject({ gatewayId: "g1", version: 17n, reason: "errors" }));
  expect(seen[1]?.mutation?.validateOnly).toBe(false);
});

test("another_version_has_to_be_looked_at_again", async () => {
  open({ more: (r) => r.rpc(goBack, () => ({})) });
  await screen.findByRole("rowheader", { name: /^Version 17 to 21/ });
  await userEvent.click(await button("Go back…"));
  await userEvent.click(await button("Show what would change"));
  await button("Go back to version 17");
  await userEvent.type(screen.getByLabelText("Version of the log"), "1");
  expect(screen.queryByRole("button", { name: /^Go back to version/ })).toBeNull();
  expect(await button("Show what would change")).toBeTruthy();
});

test("a_pinned_gateway_says_so_and_goes_forward", async () => {
  let forward = 0;
  open({
    gateway: { ...staged, stage: { stableVersion: 12n, configurationVersion: 21n, rolloutId: "o2", pinned: true } },
    rollout: { id: "o2", gatewayId: "g1", state: RolloutState.PINNED, baseVersion: 12n, reason: "errors since noon", startedAt: noon },
    more: (r) =>
      r.rpc(goForward, () => {
        forward++;
        return {};
      }),
  });
  const shown = await panel();
  await waitFor(() => expect(shown.textContent).toMatch(/Every agent is to have version 12.*errors since noon.*version 21, and all others reach no agent/));
  await userEvent.click(within(shown).getByRole("button", { name: "Go forward" }));
  const dialog = await screen.findByRole("alertdialog", { name: "Go forward?" });
  expect(dialog.textContent).toContain("The pin at version 12 ends: the present configuration comes step by step");
  await userEvent.click(within(dialog).getByRole("button", { name: "Go forward" }));
  await waitFor(() => expect(forward).toBe(1));
});

test("the_settings_are_edited_as_a_whole", async () => {
  const seen: UpdateGatewayRequest[] = [];
  open({
    more: (r) =>
      r.rpc(updateGateway, (request) => {
        seen.push(request);
        return {};
      }),
  });
  await userEvent.click(await button("Rollout settings"));
  const dialog = await screen.findByRole("dialog", { name: "Rollout settings of prod-eu" });
  const write = async (label: RegExp, text: string) => {
    const field = within(dialog).getByLabelText(label);
    await userEvent.clear(field);
    await userEvent.type(field, text);
  };
  await write(/^Steps/, "50, 20");
  await userEvent.click(within(dialog).getByRole("button", { name: "Save settings" }));
  expect(within(dialog).getByLabelText(/^Steps/)).toHaveProperty("validationMessage", expect.stringMatching(/^Rising percentages/));
  expect(seen).toHaveLength(0);
  await write(/^Steps/, "20, 50");
  await write(/^Each step/, "60");
  await userEvent.click(within(dialog).getByRole("button", { name: "Save settings" }));
  await waitFor(() => expect(seen).toHaveLength(1));
  expect(seen[0]?.gateway?.rollout).toMatchObject({ ...canary, steps: [20, 50], bakeTime: { seconds: 60n } });
  expect(seen[0]?.updateMask?.paths).toEqual(["rollout"]);
  expect(seen[0]?.mutation?.etag).toBe("7");
});

test("what_is_done_when_the_spool_is_full_is_shown_and_changed", async () => {
  const seen: UpdateGatewayRequest[] = [];
  open({
    gateway: { ...staged, whenSpoolFull: SpoolFull.BLOCK },
    more: (r) =>
      r.rpc(updateGateway, (request) => {
        seen.push(request);
        return {};
      }),
  });
  expect(await screen.findByText(/requests are refused with status 503/)).toBeTruthy();
  await userEvent.click(await button("Change"));
  const dialog = await screen.findByRole("dialog", { name: "When usage of prod-eu can't be recorded" });
  expect(dialog.textContent).not.toContain("only counted");
  await userEvent.selectOptions(within(dialog).getByLabelText("Agents whose spool is full"), "Serve requests and count them");
  expect(dialog.textContent).toContain("only counted");
  await userEvent.click(within(dialog).getByRole("button", { name: "Save" }));
  await waitFor(() => expect(seen).toHaveLength(1));
  expect(seen[0]?.gateway?.whenSpoolFull).toBe(SpoolFull.TOMBSTONE);
  expect(seen[0]?.updateMask?.paths).toEqual(["when_spool_full"]);
  expect(seen[0]?.mutation?.etag).toBe("7");
});

test.each([
  ["Change", "When usage of prod-eu can't be recorded", "Save", "refuse requests", "serve requests and count them"],
  ["Rollout settings", "Rollout settings of prod-eu", "Save settings", "10, 50", "30"],
])("behind_%s_both_versions_are_shown_when_somebody_was_first", async (opener, title, save, mine, theirs) => {
  const seen: UpdateGatewayRequest[] = [];
  const first: GatewayInit = { ...staged, whenSpoolFull: SpoolFull.BLOCK };
  const second: GatewayInit = { ...first, etag: "8", whenSpoolFull: SpoolFull.TOMBSTONE, rollout: { ...canary, steps: [30] } };
  let now = first;
  open({
    gateway: now,
    more: (r) => {
      r.rpc(getGateway, () => ({ gateway: now }));
      r.rpc(updateGateway, (request) => {
        seen.push(request);
        if (request.mutation?.etag === "8") return {};
        now = second;
        throw new ConnectError("etag", Code.Aborted);
      });
    },
  });
  await userEvent.click(await button(opener));
  const dialog = within(await screen.findByRole("dialog", { name: title }));
  await userEvent.click(dialog.getByRole("button", { name: save }));
  expect(await dialog.findByRole("radio", { name: `Mine, as it was: ${mine}` }, { timeout: 5_000 })).toHaveProperty("checked", false);
  expect(dialog.getByRole("radio", { name: `Theirs: ${theirs}` })).toHaveProperty("checked", true);
  await userEvent.click(dialog.getByRole("button", { name: "Go on with this choice" }));
  await userEvent.click(dialog.getByRole("button", { name: save }));
  await waitFor(() => expect(seen).toHaveLength(2));
  expect(seen[1]?.mutation?.etag).toBe("8");
});

test("leaving_the_steps_says_what_becomes_of_the_rollout_under_way", async () => {
  open();
  await userEvent.click(await button("Rollout settings"));
  await userEvent.selectOptions(await screen.findByLabelText(/^Changes of configuration come/), "To every agent at once");
  expect(screen.getByText(/every agent gets its configuration at once/)).toBeTruthy();
});

test("a_role_that_only_reads_is_offered_nothing_else", async () => {
  open({ permissions: ["gateways.get", "gateways.list", "rollouts.get", "rollouts.list"] });
  const shown = await panel();
  await within(shown).findByText("edge-1");
  expect(within(screen.getByRole("main")).queryByRole("button")).toBeNull();
  expect(shown.textContent).toContain("Your role may not compare versions");
});

test.each([
  ["10, 50", [10, 50]],
  ["5 % 25 %; 99", [5, 25, 99]],
  ["50, 10", undefined],
  ["10, 10", undefined],
  ["0, 10", undefined],
  ["10, 100", undefined],
  ["1.5", undefined],
  ["ten", undefined],
  ["1 2 3 4 5 6 7 8 9 10 11", undefined],
])("steps_written_as_%s_are_%j", (written, want) => {
  expect(parseSteps(written)).toEqual(want);
});
