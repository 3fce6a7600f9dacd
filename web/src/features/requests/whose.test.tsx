import type { ConnectRouter } from "@connectrpc/connect";
import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { KeyService } from "../../gen/weir/admin/v1/key_pb";
import { ProjectService } from "../../gen/weir/admin/v1/project_pb";
import { ReportService } from "../../gen/weir/admin/v1/report_pb";
import { openConsole } from "../../test/console";
import { filterOf } from "./WhoseFilter";

function open(path: string, asked: string[], permissions?: string[]) {
  return openConsole(
    path,
    (r: ConnectRouter) => {
      r.rpc(KeyService.method.listKeys, () => ({
        keys: [
          { id: "00000001", name: "prod" },
          { id: "00000002", name: "prod" },
          { id: "00000003", name: "laptop" },
        ],
      }));
      r.rpc(ProjectService.method.listProjects, () => ({ projects: [{ id: "p1", name: "shop", displayName: "Web shop" }] }));
      r.rpc(ReportService.method.listRequests, ({ filter }) => {
        asked.push(filter);
        return {};
      });
    },
    permissions,
  );
}

test("a_key_is_found_by_its_name_and_the_address_has_its_id", async () => {
  const asked: string[] = [];
  const router = open("/requests?filter=attempts%20%3E%201", asked);
  await userEvent.type(await screen.findByRole("combobox", { name: "Key" }), "lap");
  await userEvent.click(await screen.findByRole("option", { name: "laptop" }));
  await waitFor(() => expect(router.state.location.search).toEqual({ filter: "attempts > 1", key: "00000003" }));
  await waitFor(() => expect(asked.at(-1)).toBe('attempts > 1 AND key_id = "00000003"'));
  expect(await screen.findByRole("heading", { name: "No request fits the filter" })).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Any key" }));
  await waitFor(() => expect(router.state.location.search).toEqual({ filter: "attempts > 1" }));
});

test("keys_of_one_name_are_told_apart_and_a_link_shows_names", async () => {
  open("/requests?project=p1", []);
  await waitFor(() => expect(screen.getByRole<HTMLInputElement>("combobox", { name: "Project" }).value).toBe("Web shop"));
  await userEvent.click(screen.getByRole("combobox", { name: "Key" }));
  expect(within(await screen.findByRole("listbox", { name: "Keys" })).getAllByRole("option").map((o) => o.textContent)).toEqual(["laptop", "prod (…00000001)", "prod (…00000002)"]);
});

test("what_has_no_name_any_more_stays_chosen", async () => {
  const asked: string[] = [];
  open("/requests?key=gone0009", asked);
  await waitFor(() => expect(screen.getByRole<HTMLInputElement>("combobox", { name: "Key" }).value).toBe("…gone0009"));
  await waitFor(() => expect(asked).toContain('key_id = "gone0009"'));
});

test("a_role_that_lists_no_keys_has_nothing_to_choose", async () => {
  open("/requests", [], ["reports.read"]);
  await screen.findByRole("heading", { name: "No requests yet" });
  for (const name of ["Key", "Project"]) expect(screen.queryByRole("combobox", { name })).toBeNull();
});

test("what_is_chosen_narrows_an_or_as_a_whole", () => {
  expect(filterOf({ filter: "attempts > 1 OR streamed = true", project: "p1", key: "k1" })).toBe('attempts > 1 OR streamed = true AND project_id = "p1" AND key_id = "k1"');
  expect(filterOf({})).toBe("");
});
