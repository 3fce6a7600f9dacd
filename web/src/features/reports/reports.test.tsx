import type { ListValue } from "@bufbuild/protobuf/wkt";
import { fromJson } from "@bufbuild/protobuf";
import { ListValueSchema } from "@bufbuild/protobuf/wkt";
import { EditorView } from "@codemirror/view";
import type { ConnectRouter } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test, vi } from "vitest";

import { csvAddress } from "../../api/statement";
import { QueryLimit, ReportService } from "../../gen/weir/admin/v1/report_pb";
import { SavedReportService } from "../../gen/weir/admin/v1/saved_report_pb";
import { everything, openConsole, refuse, stall } from "../../test/console";

const { runQuery, streamQuery } = ReportService.method;
const { listSavedReports, getSavedReport, createSavedReport, updateSavedReport, deleteSavedReport } = SavedReportService.method;

Object.assign(document, { execCommand: () => false });

const id = "0192a000-0000-7000-8000-000000000001";
const stored = { id, name: "cost-by-team", description: "What teams cost.", sql: "SELECT 1", etag: "7" };

function row(...cells: (string | number | null)[]): ListValue {
  return fromJson(ListValueSchema, cells);
}

const found = { columns: [{ name: "team", type: "String" }, { name: "usd", type: "Decimal(38, 9)" }], rows: [row("search", "1234.500000000"), row("ads", null)] };

/** editor is the page's CodeMirror, which lives in a shadow. */
async function editor(): Promise<EditorView> {
  return waitFor(() => {
    const content = document.querySelector(".statement-editor")?.shadowRoot?.querySelector<HTMLElement>(".cm-content");
    const view = content && EditorView.findFromDOM(content);
    if (!view) throw new Error("no editor yet");
    return view;
  });
}

async function write(sql: string) {
  const view = await editor();
  act(() => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: sql } }));
  return view;
}

const heading = (name: string) => screen.findByRole("heading", { level: 1, name });
const press = async (name: string | RegExp) => userEvent.click(await screen.findByRole("button", { name }));

describe("the list", () => {
  const open = (services: (router: ConnectRouter) => void, permissions?: string[]) => openConsole("/reports", services, permissions);

  test("has_what_is_saved_and_examples", async () => {
    open((r) => r.rpc(listSavedReports, () => ({ savedReports: [stored] })));
    const link = await screen.findByRole("link", { name: "cost-by-team" });
    expect(link.getAttribute("href")).toBe(`/reports/${id}`);
    expect(screen.getByRole("link", { name: /^Who spends most/ }).getAttribute("href")).toBe("/reports/query?example=who-spends-most");
    expect(screen.getByRole("link", { name: "New query" })).toBeTruthy();
  });

  test("empty_says_what_to_do_by_role", async () => {
    open((r) => r.rpc(listSavedReports, () => ({})));
    expect((await screen.findByText(/save it: it is here then/)).textContent).toContain("example");
  });

  test("who_may_not_save_is_offered_nothing_of_it", async () => {
    open((r) => r.rpc(listSavedReports, () => ({ savedReports: [stored] })), everything.filter((p) => p !== "reports.save"));
    await screen.findByRole("link", { name: "cost-by-team" });
    expect(screen.queryByRole("button", { name: "Delete cost-by-team" })).toBeNull();
  });

  test("error", async () => {
    open((r) => r.rpc(listSavedReports, refuse));
    expect((await screen.findByRole("alert")).textContent).toContain("needs another role");
  });

  test("a_report_is_deleted_after_a_question", async () => {
    const deleted: string[] = [];
    open((r) => {
      r.rpc(listSavedReports, () => ({ savedReports: deleted.length > 0 ? [] : [stored] }));
      r.rpc(deleteSavedReport, (request) => {
        deleted.push(request.id);
        return {};
      });
    });
    await press("Delete cost-by-team");
    const question = await screen.findByRole("alertdialog");
    expect(question.textContent).toContain("History keeps it");
    expect(deleted).toEqual([]);
    await userEvent.click(within(question).getByRole("button", { name: "Delete report" }));
    expect(await screen.findByRole("heading", { name: "Nothing saved yet" })).toBeTruthy();
    expect(deleted).toEqual([id]);
  });
});

describe("a statement", () => {
  const statement = "/reports/query?sql=SELECT%201";

  test("loading_and_cancelled", async () => {
    openConsole(statement, (r) => r.rpc(runQuery, stall));
    expect(await screen.findByRole("status", { name: "Loading result" })).toBeTruthy();
    await press("Cancel");
    expect(await screen.findByRole("heading", { name: "Cancelled" })).toBeTruthy();
  });

  test("error_quotes_what_was_said_and_leads_to_the_place", async () => {
    const said = "Syntax error: failed at position 28 (WHER) (line 2, col 1): WHER 1 (code 62)";
    fail(`/reports/query?sql=${encodeURIComponent("SELECT route, FRM requests\nWHER 1")}`, said, Code.InvalidArgument);
    const alert = await screen.findByRole("alert");
    expect(within(alert).getByText(said)).toBeTruthy();
    expect(within(alert).queryByRole("button", { name: "Try again" })).toBeNull();
    await press("Go to line 2, column 1");
    const view = await editor();
    expect(view.state.selection.main.head).toBe(27);
    expect(view.dom.querySelector(".cm-lintRange-error")?.textContent).toBe("WHER");
  });

  test("error_without_a_place_offers_none", async () => {
    fail(statement, "Unknown expression identifier `coost` (code 47)", Code.InvalidArgument);
    expect((await screen.findByRole("alert")).textContent).toContain("`coost`");
    expect(screen.queryByRole("button", { name: /^Go to line/ })).toBeNull();
  });

  test.each([
    [Code.Unavailable, "can't be reached"],
    [Code.ResourceExhausted, "Over a limit"],
  ])("error_%s_can_be_tried_again", async (code, title) => {
    fail(statement, "try again", code);
    expect((await screen.findByRole("alert")).textContent).toContain(title);
    expect(screen.getByRole("button", { name: "Try again" })).toBeTruthy();
  });

  test("empty", async () => {
    openConsole(statement, (r) => r.rpc(runQuery, () => ({ columns: found.columns })));
    expect(await screen.findByRole("heading", { name: "No rows" })).toBeTruthy();
  });

  test("nothing_runs_by_itself", async () => {
    openConsole("/reports/query", () => undefined);
    expect(await screen.findByRole("heading", { name: "Ask something" })).toBeTruthy();
    expect(screen.getByRole<HTMLButtonElement>("button", { name: "Run" }).disabled).toBe(true);
  });

  test("old_links_still_lead_to_it", async () => {
    const router = openConsole("/sql?sql=SELECT%201", (r) => r.rpc(runQuery, () => found));
    await heading("New query");
    expect(router.state.location.pathname).toBe("/reports/query");
    expect(router.state.location.search).toEqual({ sql: "SELECT 1" });
  });

  test("runs_in_the_viewers_zone_and_the_address_holds_it", async () => {
    const asked: unknown[] = [];
    const router = openConsole("/reports/query", (r) =>
      r.rpc(runQuery, ({ sql, timeZone }) => {
        asked.push([sql, timeZone]);
        return found;
      }),
    );
    await write("SELECT 2");
    await press("Run");
    expect((await screen.findByRole("gridcell", { name: "$1,234.50" })).className).toContain("num");
    expect(screen.getByRole("gridcell", { name: "null" })).toBeTruthy();
    expect(asked).toEqual([["SELECT 2", "Europe/Berlin"]]);
    expect(router.state.location.search).toEqual({ sql: "SELECT 2" });
    expect(screen.getByRole("link", { name: "Download CSV" }).getAttribute("href")).toBe("/v1/reports/query.csv?sql=SELECT+2&time_zone=Europe%2FBerlin");
  });

  test("a_long_one_goes_into_the_fragment_and_comes_back", async () => {
    const asked: string[] = [];
    const services = (r: ConnectRouter) =>
      r.rpc(runQuery, ({ sql }) => {
        asked.push(sql);
        return found;
      });
    const router = openConsole("/reports/query", services);
    const long = `SELECT '${"ü".repeat(3000)}'`;
    await write(long);
    await press("Run");
    await waitFor(() => expect(asked).toEqual([long]));
    expect(router.state.location.search).toEqual({});
    expect(screen.getByText(/Too long for a download link/)).toBeTruthy();
    document.body.replaceChildren();
    openConsole(router.state.location.href, services);
    await screen.findByRole("grid");
    expect((await editor()).state.doc.toString()).toBe(long);
  });

  test("the_browsers_back_button_brings_the_statement_back", async () => {
    const router = openConsole(statement, (r) => r.rpc(runQuery, () => found));
    const confirm = vi.spyOn(window, "confirm");
    await screen.findByRole("grid");
    await write("SELECT 2");
    await press("Run");
    await waitFor(() => expect(router.state.location.search).toEqual({ sql: "SELECT 2" }));
    act(() => router.history.back());
    await waitFor(async () => expect((await editor()).state.doc.toString()).toBe("SELECT 1"));
    await write("SELECT 3");
    act(() => router.history.forward()); // what was written since stays: nothing is lost, and nothing asked
    await waitFor(() => expect(router.state.location.search).toEqual({ sql: "SELECT 2" }));
    expect((await editor()).state.doc.toString()).toBe("SELECT 3");
    expect(confirm).not.toHaveBeenCalled();
  });

  test("parameters_are_fields_and_run_with_their_values", async () => {
    const asked: unknown[] = [];
    const router = openConsole("/reports/query?example=cost-by-team", (r) =>
      r.rpc(runQuery, ({ sql, parameters }) => {
        if (sql.includes("FROM spend_by_label WHERE day > today() - 30 GROUP BY label")) return {};
        asked.push(Object.fromEntries(Object.entries(parameters).map(([name, { kind }]) => [name, kind.value])));
        return found;
      }),
    );
    await waitFor(() => expect(asked).toEqual([{ days: "30", label: "team" }]));
    const days = await screen.findByRole("textbox", { name: /^Days/ });
    await userEvent.clear(days);
    await userEvent.type(days, "x");
    expect(screen.getByText("This has to be a whole number.")).toBeTruthy();
    expect(screen.getByRole<HTMLButtonElement>("button", { name: "Run" }).disabled).toBe(true);
    await userEvent.clear(days);
    await userEvent.type(days, "7{Enter}");
    await waitFor(() => expect(asked.at(-1)).toEqual({ days: "7", label: "team" }));
    expect(router.state.location.search).toEqual({ example: "cost-by-team", with: { days: "7" } });
  });

  test("one_that_lacks_values_does_not_run", async () => {
    openConsole(`/reports/query?sql=${encodeURIComponent("SELECT {since:Date}")}`, () => undefined);
    expect(await screen.findByRole("heading", { name: "It needs values" })).toBeTruthy();
    expect(screen.getByLabelText(/^Since/).getAttribute("type")).toBe("date");
  });

  test("a_chart_is_chosen_into_the_statement", async () => {
    const router = openConsole(statement, (r) => r.rpc(runQuery, () => found));
    await userEvent.click(await screen.findByRole("button", { name: "Chart" }));
    const chart = await screen.findByRole("figure", { name: "Chart of usd" });
    expect(chart.textContent).toContain("$1,234.50");
    expect(within(chart).getByRole("table").textContent).toContain("adsno data");
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "Chart" }), "Stacked bars");
    expect((await editor()).state.doc.toString()).toBe("-- @chart stacked x=team y=usd\nSELECT 1");
    await waitFor(() => expect(router.state.location.search).toEqual({ sql: "-- @chart stacked x=team y=usd\nSELECT 1", view: "chart" }));
  });

  test("columns_are_found_and_written_down", async () => {
    openConsole("/reports/query", () => undefined);
    await userEvent.type(await screen.findByRole("searchbox", { name: "Search columns" }), "first content");
    expect(screen.getByRole("list", { name: "Columns of requests" }).textContent).toContain("time_to_first_token_us");
    await userEvent.click(within(screen.getByRole("list", { name: "Columns of requests" })).getByRole("button", { name: "Insert time_to_first_token_us" }));
    expect((await editor()).state.doc.toString()).toBe("time_to_first_token_us");
    await userEvent.clear(screen.getByRole("searchbox"));
    await userEvent.type(screen.getByRole("searchbox"), "nowhere");
    expect(screen.getByText(/No column has “nowhere”/)).toBeTruthy();
  });

  test("the_keyboard_moves_in_the_grid_and_copies", async () => {
    openConsole(statement, (r) => r.rpc(runQuery, () => found));
    const grid = await screen.findByRole("grid", { name: "Result rows" });
    const user = userEvent.setup();
    const copied = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
    act(() => grid.focus());
    await user.keyboard("{ArrowRight}");
    expect(document.getElementById(grid.getAttribute("aria-activedescendant") ?? "")?.textContent).toBe("$1,234.50");
    await user.keyboard("{Control>}c{/Control}");
    expect(copied).toHaveBeenLastCalledWith("1234.500000000");
    await user.keyboard("{Shift>}{ArrowDown}{/Shift}");
    expect(screen.getAllByRole("row", { selected: true })).toHaveLength(2);
    await user.click(screen.getByRole("button", { name: "Copy 2 rows" }));
    expect(copied).toHaveBeenLastCalledWith("team\tusd\nsearch\t1234.500000000\nads\t");
    expect(await screen.findByText("2 rows copied")).toBeTruthy();
  });

  test("what_was_cut_off_can_be_read_on", async () => {
    openConsole(statement, (r) => {
      r.rpc(runQuery, () => ({ ...found, truncated: true, limitedBy: QueryLimit.ROWS }));
      r.rpc(streamQuery, async function* () {
        await Promise.resolve();
        yield { message: { case: "columns" as const, value: { columns: found.columns } } };
        for (let i = 0; i < 3; i++) yield { message: { case: "rows" as const, value: { rows: Array.from({ length: 1000 }, (_, j) => row(`team ${i * 1000 + j}`, "1")) } } };
        yield { message: { case: "trailer" as const, value: { rowCount: 3000n, elapsedUs: 1_250_000n, bytes: 1_572_864n } } };
      });
    });
    expect(await screen.findByText(/these are the first 2 rows/)).toBeTruthy();
    await press("Read up to 100,000 rows");
    const grid = await screen.findByRole("grid");
    await waitFor(() => expect(grid.getAttribute("aria-rowcount")).toBe("3001"));
    expect(within(grid).getAllByRole("row").length).toBeLessThan(100);
    expect(screen.queryByText(/There are more/)).toBeNull();
    expect(screen.getByText(/in 1.25 s/).textContent).toBe("3,000 rows in 1.25 s · 1.5 MiB · times in Europe/Berlin");
  });

  test("a_stream_that_breaks_off_says_so_and_one_that_is_stopped_leaves_what_was", async () => {
    let broken = true;
    openConsole(statement, (r) => {
      r.rpc(runQuery, () => ({ ...found, truncated: true, limitedBy: QueryLimit.BYTES }));
      r.rpc(streamQuery, async function* () {
        yield { message: { case: "rows" as const, value: { rows: [row("a", "1")] } } };
        if (broken) throw new ConnectError("it took too long", Code.DeadlineExceeded);
        await stall();
      });
    });
    expect(await screen.findByText(/as much as fits into one answer, 8 MiB/)).toBeTruthy();
    await press(/^Read up to/);
    expect((await screen.findByRole("alert")).textContent).toContain("it took too long");
    broken = false;
    await press(/^Read up to/);
    await press("Stop");
    expect(await screen.findByRole("button", { name: /^Read up to/ })).toBeTruthy();
    expect(screen.getByRole("grid").getAttribute("aria-rowcount")).toBe("3");
  });
});

describe("a saved report", () => {
  const open = (services: (router: ConnectRouter) => void, permissions?: string[]) =>
    openConsole(
      `/reports/${id}`,
      (r) => {
        r.rpc(getSavedReport, () => ({ savedReport: stored }));
        r.rpc(runQuery, () => found);
        r.rpc(listSavedReports, () => ({}));
        services(r);
      },
      permissions,
    );

  test("opens_and_runs_and_its_file_goes_by_its_id", async () => {
    open(() => undefined);
    await heading("cost-by-team");
    await screen.findByRole("grid");
    expect(screen.getByRole("link", { name: "Download CSV" }).getAttribute("href")).toBe(`/v1/reports/query.csv?report=${id}&time_zone=Europe%2FBerlin`);
    expect(screen.getByRole<HTMLButtonElement>("button", { name: "Save" }).disabled).toBe(true);
  });

  test("is_not_there", async () => {
    openConsole(`/reports/${id}`, (r) =>
      r.rpc(getSavedReport, () => {
        throw new ConnectError("there is no such report", Code.NotFound);
      }),
    );
    expect((await screen.findByRole("alert")).textContent).toContain("there is no such report");
  });

  test("who_may_not_save_can_run_it_all_the_same", async () => {
    open(() => undefined, everything.filter((p) => p !== "reports.save"));
    await screen.findByRole("grid");
    expect(screen.queryByRole("button", { name: /^(Save|Delete|Name)/ })).toBeNull();
  });

  test("is_saved_with_what_it_was_read_as", async () => {
    const said: unknown[] = [];
    open((r) =>
      r.rpc(updateSavedReport, ({ savedReport, updateMask }) => {
        said.push([savedReport?.sql, savedReport?.etag, updateMask?.paths]);
        return { savedReport: { ...stored, sql: savedReport?.sql ?? "", etag: "8" } };
      }),
    );
    await screen.findByRole("grid");
    await write("SELECT 2");
    expect(await screen.findByText("Not saved.")).toBeTruthy();
    await press("Save");
    await waitFor(() => expect(said).toEqual([["SELECT 2", "7", ["sql"]]]));
    await waitFor(() => expect(screen.queryByText("Not saved.")).toBeNull());
    await write("SELECT 3");
    await press("Save");
    await waitFor(() => expect(said.at(-1)).toEqual(["SELECT 3", "8", ["sql"]]));
  });

  const conflicting = (r: ConnectRouter, said: unknown[]) => {
    let first = true;
    r.rpc(getSavedReport, () => ({ savedReport: first ? stored : { ...stored, sql: "SELECT 'theirs'", etag: "9" } }));
    r.rpc(updateSavedReport, ({ savedReport }) => {
      said.push([savedReport?.sql, savedReport?.etag]);
      if (!first) return { savedReport: { ...stored, sql: savedReport?.sql ?? "", etag: "10" } };
      first = false;
      throw new ConnectError("changed meanwhile", Code.Aborted);
    });
  };

  test("a_conflict_shows_both_and_mine_can_stand", async () => {
    const said: unknown[] = [];
    open((r) => conflicting(r, said));
    await screen.findByRole("grid");
    await write("SELECT 'mine'");
    await press("Save");
    expect((await screen.findByLabelText("Their statement")).textContent).toBe("SELECT 'theirs'");
    expect(screen.getByLabelText("Your statement").textContent).toBe("SELECT 'mine'");
    await press("Save mine over theirs");
    await waitFor(() => expect(said).toEqual([["SELECT 'mine'", "7"], ["SELECT 'mine'", "9"]]));
    await waitFor(() => expect(screen.queryByLabelText("Their statement")).toBeNull());
  });

  test("a_conflict_can_end_with_theirs", async () => {
    open((r) => conflicting(r, []));
    await screen.findByRole("grid");
    await write("SELECT 'mine'");
    await press("Save");
    await press("Take theirs, lose mine");
    expect((await editor()).state.doc.toString()).toBe("SELECT 'theirs'");
    expect(screen.queryByText("Not saved.")).toBeNull();
  });

  test("leaving_with_changes_asks_first", async () => {
    const router = open(() => undefined);
    await screen.findByRole("grid");
    const confirm = vi.spyOn(window, "confirm").mockReturnValue(false);
    await userEvent.click(within(screen.getByRole("navigation")).getByRole("link", { name: "Reports" }));
    await heading("Reports");
    expect(confirm).not.toHaveBeenCalled();
    act(() => router.history.back());
    await screen.findByRole("grid");
    await write("SELECT 2");
    await press("Run"); // it stays on the page
    expect(confirm).not.toHaveBeenCalled();
    await userEvent.click(within(screen.getByRole("navigation")).getByRole("link", { name: "Reports" }));
    await waitFor(() => expect(confirm).toHaveBeenCalledOnce());
    expect(router.state.location.pathname).toBe(`/reports/${id}`);
    confirm.mockReturnValue(true);
    await userEvent.click(within(screen.getByRole("navigation")).getByRole("link", { name: "Reports" }));
    await heading("Reports");
  });

  test("is_saved_as_another_and_leads_there", async () => {
    const made: unknown[] = [];
    const other = "0192a000-0000-7000-8000-000000000002";
    const router = open((r) =>
      r.rpc(createSavedReport, ({ name, description, sql }) => {
        made.push([name, description, sql]);
        return { savedReport: { ...stored, id: other, name, sql } };
      }),
    );
    await screen.findByRole("grid");
    await write("SELECT 2");
    await press("Save as…");
    const name = await screen.findByRole("textbox", { name: "Name" });
    expect((name as HTMLInputElement).value).toBe("cost-by-team-copy");
    await userEvent.clear(name);
    await userEvent.type(name, "another");
    await press("Save report");
    await waitFor(() => expect(router.state.location.pathname).toBe(`/reports/${other}`));
    expect(made).toEqual([["another", "What teams cost.", "SELECT 2"]]);
  });

  test("is_renamed_and_a_conflict_shows_what_changed", async () => {
    let first = true;
    const said: unknown[] = [];
    open((r) => {
      r.rpc(getSavedReport, () => ({ savedReport: first ? stored : { ...stored, name: "theirs", etag: "9" } }));
      r.rpc(updateSavedReport, ({ savedReport, updateMask }) => {
        said.push([savedReport?.name, savedReport?.description, savedReport?.etag, updateMask?.paths]);
        if (!first) return { savedReport: { ...stored, name: savedReport?.name ?? "", etag: "10" } };
        first = false;
        throw new ConnectError("changed meanwhile", Code.Aborted);
      });
    });
    await press("Name and description");
    const name = await screen.findByRole("textbox", { name: "Name" });
    await userEvent.clear(name);
    await userEvent.type(name, "mine");
    await press("Save");
    expect(await screen.findByRole("radio", { name: "Theirs: theirs" })).toBeTruthy();
    expect(screen.getByRole("radio", { name: "Mine: mine" })).toHaveProperty("checked", true);
    await press("Go on with this choice");
    await userEvent.click(within(screen.getByRole("dialog")).getByRole("button", { name: "Save" }));
    await heading("mine");
    expect(said).toEqual([
      ["mine", "What teams cost.", "7", ["name", "description"]],
      ["mine", "What teams cost.", "9", ["name", "description"]],
    ]);
  });
});

test("a_name_that_is_taken_is_said_in_the_dialog", async () => {
  openConsole("/reports/query?example=complete", (r) => {
    r.rpc(runQuery, () => found);
    r.rpc(createSavedReport, () => {
      throw new ConnectError('a saved report named "x" exists', Code.AlreadyExists);
    });
  });
  await press("Save…");
  const name = await screen.findByRole("textbox", { name: "Name" });
  expect((name as HTMLInputElement).value).toBe("is-every-record-there");
  await press("Save report");
  expect((await screen.findByRole("alert")).textContent).toContain("exists");
});

test("files_of_long_statements_have_no_address_but_reports_do", () => {
  const long = { sql: "x".repeat(6000), parameters: { days: "7" }, timeZone: "UTC" };
  expect(csvAddress(long)).toBeUndefined();
  expect(csvAddress(long, id)).toBe(`/v1/reports/query.csv?report=${id}&param_days=7&time_zone=UTC`);
});

function fail(path: string, message: string, code: Code) {
  openConsole(path, (r) =>
    r.rpc(runQuery, () => {
      throw new ConnectError(message, code);
    }),
  );
}
