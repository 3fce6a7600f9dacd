import { durationFromMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";

import type { CreateAlertChannelRequest, SetAlertChannelSecretRequest, UpdateAlertChannelRequest } from "../../gen/weir/admin/v1/alert_channel_pb";
import { AlertChannelService, AlertKind, Delivery } from "../../gen/weir/admin/v1/alert_channel_pb";
import { AlertDeliveryState, AlertService } from "../../gen/weir/admin/v1/alert_pb";
import { ProjectService } from "../../gen/weir/admin/v1/project_pb";
import { QuotaMode } from "../../gen/weir/admin/v1/quota_pb";
import { everything, openConsole, refuse, stall } from "../../test/console";

const { listAlerts, listAlertDeliveries, retryAlertDelivery, sendTestAlert } = AlertService.method;
const { createAlertChannel, deleteAlertChannel, getAlertChannel, listAlertChannels, setAlertChannelSecret, testAlertChannel, updateAlertChannel } = AlertChannelService.method;

const dollar = 1_000_000_000n;
const at = (text: string) => timestampFromDate(new Date(text));

const threshold = {
  id: "a1",
  kind: AlertKind.BUDGET_THRESHOLD,
  raisedAt: at("2026-11-28T09:00:00Z"),
  about: {
    case: "budgetThreshold" as const,
    value: { budgetId: "b1", budget: "search", mode: QuotaMode.HARD, percent: 80, limitNanoUsd: 250n * dollar, spentNanoUsd: 200n * dollar + 1n, subject: "user-17" },
  },
};
const anomaly = {
  id: "a2",
  kind: AlertKind.SPEND_ANOMALY,
  raisedAt: at("2026-11-28T08:00:00Z"),
  about: { case: "spendAnomaly" as const, value: { projectId: "p1", hour: at("2026-11-28T07:00:00Z"), spentNanoUsd: 90n * dollar, usualNanoUsd: 5n * dollar, weeks: 4 } },
};
const unpriced = {
  id: "a3",
  kind: AlertKind.UNPRICED_USAGE,
  raisedAt: at("2026-11-28T07:00:00Z"),
  about: { case: "unpricedUsage" as const, value: { provider: "azure", model: "gpt-9", requests: 12n, inputTokens: 1_500n, outputTokens: 300n } },
};
const channel = { id: "c1", name: "ops", url: "https://hooks.example/weir", kinds: [AlertKind.UNPRICED_USAGE], secretSetAt: at("2026-11-01T09:00:00Z"), etag: "4" };
const delivery = {
  id: "d1",
  alertId: "a1",
  alertChannelId: "c1",
  state: AlertDeliveryState.FAILED,
  createdAt: at("2026-11-28T09:00:00Z"),
  attempts: [
    { number: 1, beganAt: at("2026-11-28T09:00:01Z"), result: Delivery.REFUSED, status: 500, duration: durationFromMs(120) },
    { number: 2, beganAt: at("2026-11-28T09:00:06Z"), result: Delivery.TLS_FAILED, duration: durationFromMs(8) },
  ],
};

function open(path: string, services: (r: ConnectRouter) => void = () => undefined, permissions = everything) {
  return openConsole(
    path,
    (r) => {
      r.rpc(ProjectService.method.listProjects, () => ({ projects: [{ id: "p1", name: "shop", displayName: "Shop" }] }));
      r.rpc(listAlerts, () => ({ alerts: [threshold, anomaly, unpriced] }));
      r.rpc(listAlertDeliveries, () => ({ deliveries: [delivery] }));
      r.rpc(listAlertChannels, () => ({ alertChannels: [channel] }));
      services(r);
    },
    permissions,
  );
}

describe("what_was_raised", () => {
  test("loading", async () => {
    open("/alerts", (r) => r.rpc(listAlerts, stall));
    expect(await screen.findByRole("status", { name: "Loading alerts" })).toBeTruthy();
  });

  test("error", async () => {
    open("/alerts", (r) => r.rpc(listAlerts, refuse));
    expect((await screen.findByRole("alert")).textContent).toContain("Your role does not allow this");
  });

  test("empty", async () => {
    open("/alerts", (r) => r.rpc(listAlerts, () => ({})));
    expect(await screen.findByRole("heading", { name: "Nothing was raised" })).toBeTruthy();
  });

  test("says_what_happened_to_the_nano_dollar", async () => {
    open("/alerts");
    const table = await screen.findByRole("region", { name: "Alerts, table" });
    expect(table.textContent).toContain("search reached 80 %: $200.000000001 of $250.00 spent by user-17");
    await waitFor(() => expect(table.textContent).toContain("Project Shop spent $90.00 in the hour from 2026-11-28 08:00"));
    expect(table.textContent).toContain("Usual is $5.00, the median of that hour in the 4 weeks before");
    expect(table.textContent).toContain("gpt-9 at azure was used and has no price Set a price12 requests, 1,500 tokens in and 300 out");
    expect(within(table).getByRole("link", { name: "Set a price for gpt-9" }).getAttribute("href")).toBe("/prices?set=gpt-9&by=azure");
    expect(within(table).getByRole("link", { name: "search" }).getAttribute("href")).toBe("/budgets?quota=b1&subject=user-17");
  });

  test("a_filter_is_asked_for_and_in_the_url", async () => {
    const asked: string[] = [];
    const router = open("/alerts?kind=spend_anomaly", (r) =>
      r.rpc(listAlerts, ({ filter }) => {
        asked.push(filter);
        return {};
      }),
    );
    expect(await screen.findByRole("heading", { name: "Nothing of this kind was raised" })).toBeTruthy();
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "About" }), "No price");
    await waitFor(() => expect(asked).toEqual(["kind = spend_anomaly", "kind = unpriced_usage"]));
    expect(router.state.location.search).toEqual({ kind: "unpriced_usage" });
  });

  test("of_one_budget_are_asked_for_and_left_again", async () => {
    const asked: string[] = [];
    const router = open("/alerts?budget=b1", (r) =>
      r.rpc(listAlerts, ({ filter }) => {
        asked.push(filter);
        return { alerts: [threshold] };
      }),
    );
    expect(await screen.findByRole("heading", { name: "Raised about one budget" })).toBeTruthy();
    await userEvent.click(screen.getByRole("button", { name: "Show all alerts" }));
    await waitFor(() => expect(asked).toEqual([`budget_id = "b1"`, ""]));
    expect(router.state.location.search).toEqual({});
  });

  test("a_role_that_only_reads_sees_no_deliveries_or_channels", async () => {
    open("/alerts?alert=a1", undefined, ["alerts.list"]);
    await screen.findByRole("dialog", { name: "Alert" });
    expect(screen.queryByRole("region", { name: "Who was told" })).toBeNull();
    expect(screen.queryByText("Deliveries")).toBeNull();
    expect(screen.queryByText("Channels")).toBeNull();
  });
});

test("a_delivery_shows_each_attempt_and_is_tried_again", async () => {
  const retried: string[] = [];
  const filters: string[] = [];
  open("/alerts?alert=a1", (r) => {
    r.rpc(listAlertDeliveries, ({ filter }) => {
      filters.push(filter);
      return { deliveries: [delivery] };
    });
    r.rpc(retryAlertDelivery, ({ id }) => {
      retried.push(id);
      return {};
    });
  });
  const told = await screen.findByRole("region", { name: "Who was told" });
  await within(told).findByText("Given up");
  expect(filters).toEqual(['alert_id = "a1"']);
  expect(told.textContent).toContain("2026-11-28 10:00:01: refused with status 500 after 120 ms");
  expect(told.textContent).toContain("2026-11-28 10:00:06: TLS failed, most likely the certificate after 8.00 ms");
  await userEvent.click(await within(told).findByRole("button", { name: "Try again to ops" }));
  await waitFor(() => expect(retried).toEqual(["d1"]));
});

test("the_delivery_log_opens_the_alert", async () => {
  const router = open("/alerts?show=deliveries");
  await userEvent.click(await screen.findByRole("button", { name: "Show alert" }));
  await screen.findByRole("dialog", { name: "Alert" });
  expect(router.state.location.search).toEqual({ show: "deliveries", alert: "a1" });
});

describe("channels", () => {
  const secretShape = /^whsec_[A-Za-z0-9+/]{43}=$/; // 32 bytes

  test("a_new_one_shows_its_secret_until_it_is_copied", async () => {
    const sent: CreateAlertChannelRequest[] = [];
    open("/alerts?show=channels", (r) => {
      r.rpc(listAlertChannels, () => ({}));
      r.rpc(createAlertChannel, (request) => {
        sent.push(request);
        return { alertChannel: channel };
      });
    });
    await screen.findByRole("heading", { name: "No channels yet" });
    await userEvent.click(screen.getByRole("button", { name: "Create channel" }));
    const form = within(await screen.findByRole("dialog", { name: "Create channel" }));
    await userEvent.type(form.getByLabelText("Name"), "ops");
    await userEvent.type(form.getByLabelText("URL of the webhook"), "https://hooks.example/weir");
    await userEvent.click(form.getByLabelText(/no price/));
    await userEvent.click(form.getByRole("button", { name: "Create channel" }));
    const made = within(await screen.findByRole("dialog", { name: "Channel created" }));
    const shown = made.getByText(secretShape).textContent;
    expect(sent[0]).toMatchObject({ name: "ops", url: "https://hooks.example/weir", kinds: [AlertKind.UNPRICED_USAGE], secret: shown });
    await userEvent.keyboard("{Escape}");
    await userEvent.click(made.getByRole("button", { name: "I have copied the secret" }));
    await waitFor(() => expect(screen.queryByText(secretShape)).toBeNull());
  });

  test("what_is_wrong_with_a_url_stands_there", async () => {
    open("/alerts?show=channels", (r) =>
      r.rpc(createAlertChannel, () => {
        throw new ConnectError("url: 10.0.0.1 is not on the public Internet", Code.InvalidArgument);
      }),
    );
    await userEvent.click(await screen.findByRole("button", { name: "Create channel" }));
    const form = within(await screen.findByRole("dialog", { name: "Create channel" }));
    await userEvent.type(form.getByLabelText("Name"), "ops");
    const url = form.getByLabelText("URL of the webhook");
    await userEvent.type(url, "https://10.0.0.1/");
    await userEvent.click(form.getByRole("button", { name: "Create channel" }));
    await waitFor(() => expect(url.getAttribute("aria-invalid")).toBe("true"));
    expect(form.getByText("10.0.0.1 is not on the public Internet")).toBeTruthy();
  });

  test("a_test_says_what_came_of_it", async () => {
    let answer = { delivery: Delivery.ACCEPTED, status: 204, duration: durationFromMs(35) };
    open("/alerts?show=channels", (r) => r.rpc(testAlertChannel, () => answer));
    const button = await screen.findByRole("button", { name: "Send test: ops" });
    await userEvent.click(button);
    expect(await screen.findByText("accepted with status 204 after 35.0 ms")).toBeTruthy();
    answer = { ...answer, delivery: Delivery.REFUSED, status: 301 };
    await userEvent.click(button);
    expect(await screen.findByText("refused with status 301 after 35.0 ms")).toBeTruthy();
  });

  test("an_alert_is_raised_for_one_the_whole_way", async () => {
    const raised: string[] = [];
    open("/alerts?show=channels", (r) =>
      r.rpc(sendTestAlert, ({ alertChannelId }) => {
        raised.push(alertChannelId);
        return {};
      }),
    );
    await userEvent.click(await screen.findByRole("button", { name: "Raise test alert: ops" }));
    expect(await screen.findByText("Raised: see the deliveries")).toBeTruthy();
    expect(raised).toEqual(["c1"]);
  });

  test("one_is_changed_with_the_etag_it_was_read_with", async () => {
    const sent: UpdateAlertChannelRequest[] = [];
    open("/alerts?show=channels", (r) =>
      r.rpc(updateAlertChannel, (request) => {
        sent.push(request);
        return {};
      }),
    );
    await userEvent.click(await screen.findByRole("button", { name: "Change: ops" }));
    const form = within(await screen.findByRole("dialog", { name: "Change ops" }));
    await userEvent.click(form.getByLabelText(/no price/));
    await userEvent.click(form.getByRole("button", { name: "Save channel" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(sent[0]).toMatchObject({ alertChannel: { id: "c1", kinds: [], etag: "4" }, updateMask: { paths: ["name", "url", "kinds"] } });
  });

  test("one_that_somebody_changed_meanwhile_shows_both_versions", async () => {
    const sent: UpdateAlertChannelRequest[] = [];
    open("/alerts?show=channels", (r) => {
      r.rpc(getAlertChannel, () => ({ alertChannel: { ...channel, etag: "5", url: "https://hooks.example/theirs" } }));
      r.rpc(updateAlertChannel, (request) => {
        sent.push(request);
        if (request.alertChannel?.etag !== "5") throw new ConnectError("etag", Code.Aborted);
        return {};
      });
    });
    await userEvent.click(await screen.findByRole("button", { name: "Change: ops" }));
    const form = within(await screen.findByRole("dialog", { name: "Change ops" }));
    await userEvent.click(form.getByLabelText(/no price/));
    await userEvent.click(form.getByRole("button", { name: "Save channel" }));
    expect(await form.findByRole("radio", { name: "Theirs: https://hooks.example/theirs" })).toHaveProperty("checked", true);
    expect(form.getByRole("radio", { name: "Mine: nothing besides budgets" })).toHaveProperty("checked", true);
    await userEvent.click(form.getByRole("button", { name: "Go on with this choice" }));
    await userEvent.click(form.getByRole("button", { name: "Save channel" }));
    await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
    expect(sent[1]?.alertChannel).toMatchObject({ id: "c1", etag: "5", kinds: [], url: "https://hooks.example/theirs" });
  });

  test("a_new_secret_is_asked_about_first_and_shown_once", async () => {
    const sent: SetAlertChannelSecretRequest[] = [];
    open("/alerts?show=channels", (r) =>
      r.rpc(setAlertChannelSecret, (request) => {
        sent.push(request);
        return {};
      }),
    );
    await userEvent.click(await screen.findByRole("button", { name: "New secret: ops" }));
    const ask = within(await screen.findByRole("alertdialog", { name: "Give ops a new secret?" }));
    expect(sent).toHaveLength(0);
    await userEvent.click(ask.getByRole("button", { name: "Set new secret" }));
    const shown = await screen.findByText(secretShape);
    expect(sent[0]).toMatchObject({ id: "c1", secret: shown.textContent });
  });

  test("deleting_says_what_it_does", async () => {
    const gone: string[] = [];
    open("/alerts?show=channels", (r) =>
      r.rpc(deleteAlertChannel, ({ id }) => {
        gone.push(id);
        return {};
      }),
    );
    await userEvent.click(await screen.findByRole("button", { name: "Delete: ops" }));
    const dialog = await screen.findByRole("alertdialog", { name: "Delete ops?" });
    expect(dialog.textContent).toContain("messages that are on their way are given up");
    await userEvent.click(within(dialog).getByRole("button", { name: "Delete channel" }));
    await waitFor(() => expect(gone).toEqual(["c1"]));
  });

  test("a_role_that_may_not_change_them_is_offered_nothing", async () => {
    open("/alerts?show=channels", undefined, ["alerts.list", "alert_channels.list"]);
    await screen.findByRole("rowheader", { name: /^ops/ });
    for (const name of ["Create channel", "Send test", "Change", "New secret", "Delete"]) expect(screen.queryByText(name)).toBeNull();
  });
});
