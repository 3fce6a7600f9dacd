import { fromJson } from "@bufbuild/protobuf";
import { ListValueSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test } from "vitest";

import { ReportService } from "../../gen/weir/admin/v1/report_pb";
import { openConsole, stall } from "../../test/console";
import { isNumeric } from "./cell";

const { runQuery } = ReportService.method;
const statement = "/sql?sql=SELECT%201";

test("loading", async () => {
  openConsole(statement, (r) => r.rpc(runQuery, stall));
  expect(await screen.findByRole("status", { name: "Loading result" })).toBeTruthy();
});

test("error_says_what_the_server_said", async () => {
  openConsole(statement, (r) =>
    r.rpc(runQuery, () => {
      throw new ConnectError("unknown column coost", Code.InvalidArgument);
    }),
  );
  expect((await screen.findByRole("alert")).textContent).toContain("unknown column coost");
});

test("empty", async () => {
  openConsole(statement, (r) => r.rpc(runQuery, () => ({})));
  expect(await screen.findByRole("heading", { name: "No rows" })).toBeTruthy();
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
  expect(router.state.location.search).toEqual({ sql: "SELECT 2" });
});

test("numbers_are_told_by_type", () => {
  expect(["UInt64", "Nullable(Int32)", "Decimal(18, 9)", "Float64"].map(isNumeric)).toEqual([true, true, true, true]);
  expect(["String", "DateTime64(6, 'UTC')", "LowCardinality(String)", "UUID"].map(isNumeric)).not.toContain(true);
});
