import { create, fromJson } from "@bufbuild/protobuf";
import { ListValueSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { queryCsv } from "../../api/report";
import { ReportService, RunQueryResponseSchema } from "../../gen/weir/admin/v1/report_pb";
import { openConsole, stall } from "../../test/console";
import { isNumeric } from "./cell";
import { offsetOf, pointAt, positionIn } from "./position";
import { ResultTable } from "./ResultTable";

const { runQuery } = ReportService.method;
const statement = "/sql?sql=SELECT%201";

test("loading", async () => {
  openConsole(statement, (r) => r.rpc(runQuery, stall));
  expect(await screen.findByRole("status", { name: "Loading result" })).toBeTruthy();
});

test("error_quotes_what_was_said_about_the_statement_and_leads_to_the_place", async () => {
  const said = "Syntax error: failed at position 28 (WHER) (line 2, col 1): WHER 1 (code 62)";
  fail(`/sql?sql=${encodeURIComponent("SELECT route, FRM requests\nWHER 1")}`, said, Code.InvalidArgument);
  const alert = await screen.findByRole("alert");
  expect(within(alert).getByText(said)).toBeTruthy();
  expect(alert.textContent).not.toContain("control plane");
  expect(screen.queryByRole("button", { name: "Try again" })).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Go to line 2, column 1" }));
  const editor = screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Statement" });
  expect(document.activeElement).toBe(editor);
  expect(editor.selectionStart).toBe(27);
});

test("error_without_a_place_offers_none", async () => {
  fail(statement, "Unknown expression identifier `coost` (code 47)", Code.InvalidArgument);
  expect((await screen.findByRole("alert")).textContent).toContain("`coost`");
  expect(screen.queryByRole("button", { name: /^Go to/ })).toBeNull();
});

test("error_of_ours_can_be_tried_again", async () => {
  fail(statement, "the analytics store does not answer; try again", Code.Unavailable);
  expect((await screen.findByRole("alert")).textContent).toContain("can't be reached");
  expect(screen.getByRole("button", { name: "Try again" })).toBeTruthy();
});

function fail(path: string, message: string, code: Code) {
  openConsole(path, (r) =>
    r.rpc(runQuery, () => {
      throw new ConnectError(message, code);
    }),
  );
}

test("a_place_is_found_in_the_text", () => {
  expect(positionIn("Syntax error: failed at position 51 (end of query) (line 5, col 1)")).toEqual({ line: 5, column: 1 });
  expect(positionIn("Unknown table")).toBeUndefined();
  expect(pointAt("SELECT\n\tcoost x y", { line: 2, column: 8 })).toBe("\tcoost x y\n\t      ^");
  expect(pointAt("SELECT", { line: 2, column: 1 })).toBe("\n^");
  expect(offsetOf("a\nbc\nd", { line: 2, column: 2 })).toBe(3);
  expect(offsetOf("a", { line: 9, column: 9 })).toBe(1);
});

test("empty", async () => {
  openConsole(statement, (r) => r.rpc(runQuery, () => ({})));
  expect(await screen.findByRole("heading", { name: "No rows" })).toBeTruthy();
});

test("columns_of_a_view_are_asked_for_when_it_is_opened", async () => {
  const asked: string[] = [];
  openConsole("/sql", (r) =>
    r.rpc(runQuery, ({ sql }) => {
      asked.push(sql);
      return { columns: [{ name: "labels", type: "Map(String, String)" }] };
    }),
  );
  const part = within(await screen.findByRole("region", { name: "Columns" }));
  expect(asked).toEqual([]);
  await userEvent.click(part.getByText("attempts"));
  const list = await part.findByRole("list", { name: "Columns of attempts" });
  expect(list.textContent).toBe("labels Map(String, String)");
  expect(asked).toEqual(["SELECT * FROM attempts LIMIT 0"]);
});

test("cost_by_surface_is_an_example", async () => {
  const router = openConsole("/sql", (r) => r.rpc(runQuery, () => ({})));
  await userEvent.click(await screen.findByRole("button", { name: "Cost by surface" }));
  expect((router.state.location.search as { sql: string }).sql).toContain("GROUP BY surface");
});

test("nothing_runs_by_itself", async () => {
  openConsole("/sql", () => undefined);
  expect(await screen.findByRole("heading", { name: "Ask something" })).toBeTruthy();
});

test("data_as_it_came_and_the_url_holds_the_statement", async () => {
  const router = openConsole("/sql", (r) =>
    r.rpc(runQuery, ({ sql }) => ({
      columns: [{ name: sql, type: "String" }, { name: "cost", type: "Nullable(Decimal(18, 9))" }],
      rows: [fromJson(ListValueSchema, ["a", "0.000534150"]), fromJson(ListValueSchema, ["b", null])],
      truncated: true,
    })),
  );
  const editor = await screen.findByRole("textbox", { name: "Statement" });
  await userEvent.clear(editor);
  await userEvent.type(editor, "SELECT 2{Control>}{Enter}{/Control}");
  expect(await screen.findByRole("columnheader", { name: "SELECT 2" })).toBeTruthy();
  expect(screen.getByRole("cell", { name: "0.000534150" }).className).toBe("num");
  expect(screen.getByRole("cell", { name: "null" })).toBeTruthy();
  expect(screen.getByText(/cut off/)).toBeTruthy();
  expect(screen.getByRole("link", { name: "Download CSV" }).getAttribute("href")).toBe("/v1/reports/query.csv?sql=SELECT+2");
  expect(router.state.location.search).toEqual({ sql: "SELECT 2" });
});

test("long_statements_have_no_link_to_a_file", () => {
  expect(queryCsv("x".repeat(5996))).toBeTruthy();
  expect(queryCsv("x".repeat(5997))).toBeUndefined();
});

test("a_long_statement_is_sent_to_the_api", () => {
  render(<ResultTable result={create(RunQueryResponseSchema, {})} sql={"x".repeat(6000)} />);
  expect(screen.getByText(/too long for a link/)).toBeTruthy();
  expect(screen.queryByRole("link", { name: "Download CSV" })).toBeNull();
});

test("numbers_are_told_by_type", () => {
  expect(["UInt64", "Nullable(Int32)", "Decimal(18, 9)", "Float64"].map(isNumeric)).toEqual([true, true, true, true]);
  expect(["String", "DateTime64(6, 'UTC')", "LowCardinality(String)", "UUID"].map(isNumeric)).not.toContain(true);
});
