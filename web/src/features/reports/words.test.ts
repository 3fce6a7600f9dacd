import { describe, expect, test } from "vitest";

import { mostSeries, prepareResult, stacked } from "../../charts/prepare/result";
import { fromAddress, toAddress } from "./address";
import { cellText, isMoney, isNumeric, showerOf } from "./cell";
import { guess, shapeOf } from "./chart";
import { suggest } from "./complete";
import { examples } from "./examples";
import { formatted, tokensOf } from "./format";
import { moved, rowsOf, tabbed, windowOf } from "./grid";
import { kindOf, problemOf, wireText } from "./parameter";
import { offsetOf, pointAt, positionAt, positionIn, spanOf } from "./position";
import { functions, views } from "./schema";
import { changedFrom, isUnsaved, statementOf } from "./source";
import { beginningsOf, chartOf, codeOf, parametersOf, withChart } from "./statement";

describe("statements", () => {
  test("quotes_and_comments_are_no_code_and_every_place_stays", () => {
    const text = "SELECT 'a''b\\'{x:Int8}' -- {y:Int8}\n/* {z:Int8} */ , \"q\", `w` 'open";
    const code = codeOf(text);
    expect(code.length).toBe(text.length);
    expect(code.trim().replace(/\s+/g, " ")).toBe("SELECT , ,");
    expect(code.indexOf("\n")).toBe(text.indexOf("\n"));
  });

  test("parameters_are_told_once_and_the_time_zone_is_given", () => {
    const sql = "SELECT {days:UInt16}, '{no:Int8}', { routes : Array(LowCardinality(String)) }, {time_zone:String}, {days:UInt16}, {usd:Decimal(18, 9)}";
    expect(parametersOf(sql)).toEqual([
      { name: "days", type: "UInt16" },
      { name: "routes", type: "Array(LowCardinality(String))" },
      { name: "usd", type: "Decimal(18, 9)" },
    ]);
  });

  test("beginnings_and_charts_stand_in_comments", () => {
    const sql = '-- @param days = 30\n  -- @param team = a = b\n-- @chart stacked x=day y=usd,"of shadows" by="the route"\nSELECT 1';
    expect(beginningsOf(sql)).toEqual({ days: "30", team: "a = b" });
    expect(chartOf(sql)).toEqual({ mark: "stacked", x: "day", y: ["usd", "of shadows"], by: "the route" });
    expect(chartOf("-- @chart pie x=day y=usd\nSELECT 1")).toBeUndefined();
    expect(chartOf("-- @chart line y=usd\nSELECT 1")).toBeUndefined();
  });

  test("a_chart_that_is_written_is_read_again", () => {
    const choice = { mark: "bar" as const, x: "the day", y: ["usd", "a,b"], by: "route" };
    const written = withChart("SELECT 1", choice);
    expect(chartOf(written)).toEqual(choice);
    const again = withChart(`-- @param days = 1\n${written}`, { mark: "line", x: "day", y: ["usd"] });
    expect(again).toBe("-- @param days = 1\n-- @chart line x=day y=usd\nSELECT 1");
  });

  test("what_runs_has_every_value_as_clickhouse_reads_it", () => {
    const sql = "-- @param days = 30\nSELECT {days:UInt16}, {since:DateTime}, {routes:Array(String)}";
    expect(statementOf(sql, { since: "2026-11-01T00:00" }, "UTC")).toBeUndefined();
    expect(statementOf(sql, { since: "2026-11-01T00:00", routes: "fast, o'k" }, "UTC")?.parameters).toEqual({ days: "30", since: "2026-11-01 00:00:00", routes: "['fast','o\\'k']" });
    expect(statementOf("  ", {}, "UTC")).toBeUndefined();
    expect(changedFrom(sql, { days: "30", since: "x", gone: "1" })).toEqual({ since: "x" });
  });
});

describe("parameters", () => {
  test.each([
    ["Date", "date"],
    ["Nullable(Date32)", "date"],
    ["DateTime64(6, 'UTC')", "time"],
    ["LowCardinality(Nullable(UInt64))", "integer"],
    ["Decimal(18, 9)", "number"],
    ["Bool", "flag"],
    ["Array(UInt8)", "list"],
    ["UUID", "text"],
  ])("%s_takes_a_%s", (type, kind) => {
    expect(kindOf(type)).toBe(kind);
  });

  test("wrong_values_are_told_before_they_are_sent", () => {
    const wrong = (type: string, value: string | undefined) => problemOf({ name: "x", type }, value);
    expect(wrong("UInt16", "3.5")).toContain("whole number");
    expect(wrong("Int64", "9007199254740993")).toBeUndefined();
    expect(wrong("Float64", ".5e3")).toBeUndefined();
    expect(wrong("Date", "1.11.2026")).toContain("a day");
    expect(wrong("Date", "")).toContain("value");
    expect(wrong("String", "")).toBeUndefined();
    expect(wrong("String", undefined)).toContain("value");
    expect(wrong("Bool", "yes")).toContain("true or false");
  });

  test("lists_of_numbers_stay_bare_and_blanks_between_commas_are_none", () => {
    expect(wireText({ name: "x", type: "Array(Int64)" }, "1, 2,,3")).toBe("[1,2,3]");
    expect(wireText({ name: "x", type: "Array(String)" }, "")).toBe("[]");
    expect(wireText({ name: "x", type: "String" }, " as it is ")).toBe(" as it is ");
  });
});

describe("unsaved", () => {
  const report = { kind: "report" as const, report: { sql: "SELECT 1" } as never };
  test("a_changed_report_is_unsaved_even_if_it_ran", () => {
    expect(isUnsaved(report, "SELECT 1", "")).toBe(false);
    expect(isUnsaved(report, "SELECT 2", "SELECT 2")).toBe(true);
  });
  test("what_ran_of_a_free_statement_is_in_the_address", () => {
    expect(isUnsaved({ kind: "free" }, "SELECT 2", "SELECT 2")).toBe(false);
    expect(isUnsaved({ kind: "free" }, "SELECT 3", "SELECT 2")).toBe(true);
    expect(isUnsaved({ kind: "free" }, "  ", "")).toBe(false);
  });
});

describe("addresses", () => {
  test("short_statements_are_readable_and_long_ones_are_in_the_fragment", () => {
    expect(toAddress("SELECT 1")).toEqual({ sql: "SELECT 1", hash: "" });
    const long = `SELECT '${"ü€😀".repeat(700)}'`;
    const address = toAddress(long);
    expect(address.sql).toBeUndefined();
    expect(address.hash).toMatch(/^sql\.[\w-]+$/);
    expect(fromAddress(address)).toBe(long);
  });
  test("what_can_not_be_read_is_nothing", () => {
    expect(fromAddress({ sql: undefined, hash: "sql.%%" })).toBeUndefined();
    expect(fromAddress({ sql: "SELECT 1", hash: "elsewhere" })).toBe("SELECT 1");
  });
});

describe("completion", () => {
  const vocabulary = { views, functions, labels: ["team", "env"] };
  const at = (text: string, asked = false) => {
    const place = text.indexOf("|");
    return suggest(text.replace("|", ""), place, asked, vocabulary);
  };
  const labels = (text: string, asked = false) => at(text, asked)?.options.map((o) => o.label) ?? [];

  test("views_stand_after_from_and_nothing_else", () => {
    expect(labels("SELECT 1 FROM re|")).toEqual(views.map(({ name }) => name));
    expect(labels("WITH daily AS (SELECT 1) SELECT * FROM d|")).toContain("daily");
    expect(at("SELECT 1 FROM re|")?.from).toBe(14);
  });
  test("columns_are_those_of_the_views_that_are_read", () => {
    expect(labels("SELECT co| FROM spend_daily")).toContain("lost_attempts");
    expect(labels("SELECT co| FROM spend_daily")).not.toContain("duration_us");
    expect(labels("SELECT d| FROM requests")).toContain("duration_us");
    expect(at("SELECT d| FROM requests")?.options.find(({ label }) => label === "duration_us")).toMatchObject({ detail: "Int64", about: expect.stringContaining("Microseconds") as string });
  });
  test("an_alias_before_a_dot_is_its_view", () => {
    expect(labels("SELECT r.| FROM requests AS r JOIN attempts a ON 1")).toEqual(views.find(({ name }) => name === "requests")?.columns.map(({ name }) => name));
    expect(labels("SELECT a.ca| FROM requests r JOIN attempts a ON 1")).toContain("cause");
    expect(at("SELECT x.| FROM requests r")).toBeNull();
  });
  test("names_of_labels_stand_in_their_quotes", () => {
    expect(labels("SELECT labels['t|'] FROM requests")).toEqual(["team", "env"]);
    expect(labels("SELECT 1 FROM spend_by_label WHERE label = '|'")).toEqual(["team", "env"]);
  });
  test("there_is_nothing_in_texts_and_comments", () => {
    expect(at("SELECT 'sel| FROM requests")).toBeNull();
    expect(at("SELECT 1 -- sel|")).toBeNull();
    expect(at("SELECT 1 -- |", true)).toBeNull();
    expect(at("SELECT 1 + |")).toBeNull();
    expect(labels("SELECT 1 + |", true)).toContain("count");
  });
  test("types_parameters_and_own_names_are_known", () => {
    expect(labels("SELECT {since:Da|}")).toContain("DateTime");
    expect(labels("SELECT sum(cost_usd) AS usd, {days:UInt16} FROM spend_daily ORDER BY u|")).toEqual(expect.arrayContaining(["usd", "{days:UInt16}"]));
  });
});

describe("cells", () => {
  const show = (type: string, value: string | number, name = "x") => showerOf({ name, type }, "Europe/Berlin")(value);
  test("money_is_exact_and_says_so", () => {
    expect(show("Decimal(18, 9)", "1234.500000000", "cost_usd").text).toBe("$1,234.50");
    expect(show("Nullable(Decimal(38, 9))", "-0.000000001", "usd").text).toBe("-$0.000000001");
    expect(show("Decimal(38, 9)", "9007199254.740993001", "usd_before").text).toBe("$9,007,199,254.740993001");
    expect(isMoney({ name: "usd_per_1000", type: "Float64" })).toBe(true);
    expect(isMoney({ name: "used", type: "Float64" })).toBe(false);
  });
  test("whole_numbers_are_whole", () => {
    expect(show("UInt64", "9007199254740993").text).toBe("9,007,199,254,740,993");
    expect(show("UInt16", 2026).text).toBe("2026");
    expect(show("Int64", "1250000", "duration_us")).toEqual({ text: "1,250,000", hint: "1.25 s" });
  });
  test("times_are_the_viewers_with_every_digit_and_utc_beside", () => {
    expect(show("DateTime64(6, 'UTC')", "2026-07-04T22:30:05.120500Z")).toEqual({ text: "2026-07-05 00:30:05.1205", hint: "2026-07-04 22:30:05.120 UTC" });
    expect(show("DateTime", "2026-07-05T00:30:05+02:00").text).toBe("2026-07-05 00:30:05");
    expect(show("Date", "2026-07-05").text).toBe("2026-07-05");
  });
  test("floats_show_six_digits_and_all_on_hover", () => {
    expect(show("Float64", 0.1 + 0.2)).toEqual({ text: "0.3", hint: "0.30000000000000004" });
    expect(show("Float64", 12_345.678_9).text).toBe("12,345.7");
    expect(show("Float64", 1e-9).text).toBe("1.00000e-9");
    expect(show("Float64", "nan").text).toBe("nan");
    expect(show("Float64", "0.30000000000000004").text).toBe("0.3"); // as charts have it
  });
  test("numbers_are_told_by_type", () => {
    expect(["UInt64", "Nullable(Int32)", "Decimal(18, 9)", "Float64"].map(isNumeric)).toEqual([true, true, true, true]);
    expect(["String", "DateTime64(6, 'UTC')", "LowCardinality(String)", "UUID"].map(isNumeric)).not.toContain(true);
    expect(cellText({ team: "a" })).toBe('{"team":"a"}');
  });
});

describe("the grid", () => {
  test("few_rows_are_drawn_of_many", () => {
    expect(windowOf(0, 600, 30, 100_000)).toEqual({ first: 0, end: 28 });
    expect(windowOf(1_500_000, 600, 30, 100_000)).toEqual({ first: 49_992, end: 50_028 });
    expect(windowOf(9e9, 600, 30, 10)).toEqual({ first: 10, end: 10 });
  });
  test("keys_move_the_mark_and_shift_keeps_where_it_began", () => {
    const key = (name: string, more = {}) => ({ key: name, shiftKey: false, ctrlKey: false, metaKey: false, ...more });
    const from = { row: 5, column: 1, anchor: 5 };
    expect(moved(from, key("ArrowDown"), 10, 3, 4)).toEqual({ row: 6, column: 1, anchor: 6 });
    expect(moved(from, key("ArrowDown", { shiftKey: true }), 10, 3, 4)).toEqual({ row: 6, column: 1, anchor: 5 });
    expect(moved(from, key("PageDown"), 10, 3, 40)).toEqual({ row: 9, column: 1, anchor: 9 });
    expect(moved(from, key("End", { ctrlKey: true }), 10, 3, 4)).toEqual({ row: 9, column: 2, anchor: 9 });
    expect(moved(from, key("x"), 10, 3, 4)).toBeUndefined();
    expect(rowsOf({ row: 2, column: 0, anchor: 6 })).toEqual([2, 6]);
  });
  test("what_is_copied_has_one_line_for_each_row", () => {
    expect(tabbed([["a", "b"], ["x\ty", "1\n2"]])).toBe("a\tb\nx y\t1 2");
  });
});

describe("charts", () => {
  const columns = [
    { name: "day", type: "Date" },
    { name: "route", type: "LowCardinality(String)" },
    { name: "requests", type: "UInt64" },
    { name: "usd", type: "Decimal(38, 9)" },
  ];
  const rows = [
    ["2026-11-02", "fast", "3", "1.5"],
    ["2026-11-01", "fast", "1", "0.1"],
    ["2026-11-01", "", "2", null],
  ];
  test("a_guess_is_money_over_time_by_what_there_is", () => {
    expect(guess(columns as never)).toEqual({ mark: "line", x: "day", y: ["usd"], by: "route" });
    expect(guess([columns[1], columns[2]] as never)).toEqual({ mark: "bar", x: "route", y: ["requests"] });
    expect(guess([columns[1], { name: "model", type: "String" }, columns[2]] as never)).toEqual({ mark: "bar", x: "route", y: ["requests"], by: "model" });
    expect(guess([columns[1]] as never)).toBeUndefined();
  });
  test("a_choice_of_a_column_that_is_gone_is_no_shape", () => {
    expect(shapeOf({ mark: "line", x: "day", y: ["cost"] }, columns as never)).toBeUndefined();
    expect(shapeOf({ mark: "line", x: "day", y: ["usd"], by: "model" }, columns as never)).toBeUndefined();
  });
  test("places_are_in_order_and_missing_is_a_gap", () => {
    const shape = shapeOf({ mark: "line", x: "day", y: ["usd"], by: "route" }, columns as never);
    const data = prepareResult(rows, shape as never);
    expect(data.names).toEqual(["2026-11-01", "2026-11-02"]);
    expect(data.xs[0]).toBe(Date.UTC(2026, 10, 1));
    expect(data.series).toEqual([
      { label: "fast", values: [0.1, 1.5], exact: ["0.1", "1.5"] },
      { label: "(empty)", values: [null, null], exact: [null, null] },
    ]);
  });
  test("several_values_are_series_of_their_own", () => {
    const data = prepareResult(rows.slice(0, 1), { mark: "bar", x: 1, axis: "category", y: [{ column: 2, label: "requests" }, { column: 3, label: "usd" }] });
    expect(data.series.map(({ label, values }) => [label, values])).toEqual([["requests", [3]], ["usd", [1.5]]]);
  });
  test("doubled_points_and_too_many_series_are_said", () => {
    const shape = { mark: "bar" as const, x: 0, axis: "category" as const, y: [{ column: 2, label: "n" }], by: 1 };
    const doubled = prepareResult([["a", "s", "1"], ["a", "s", "2"]], shape);
    expect(doubled.series[0]?.values).toEqual([2]);
    expect(doubled.notes[0]).toContain("the last one is drawn");
    const many = prepareResult(Array.from({ length: 12 }, (_, i) => ["a", `s${i}`, String(i)]), shape);
    expect(many.series.map(({ label }) => label)).toEqual(["s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11"]);
    expect(many.series).toHaveLength(mostSeries);
    expect(many.notes[0]).toContain("8 largest of 12");
  });
  test("stacks_add_up_and_a_gap_adds_nothing", () => {
    expect(stacked([{ label: "a", values: [1, null], exact: [] }, { label: "b", values: [2, 3], exact: [] }])).toEqual([[1, null], [3, 3]]);
  });
});

describe("places of complaints", () => {
  test("a_place_is_found_in_the_text", () => {
    expect(positionIn("Syntax error: failed at position 51 (end of query) (line 5, col 1)")).toEqual({ line: 5, column: 1 });
    expect(positionIn("Unknown table")).toBeUndefined();
    expect(pointAt("SELECT\n\tcoost x y", { line: 2, column: 8 })).toBe("\tcoost x y\n\t      ^");
    expect(offsetOf("a\nbc\nd", { line: 2, column: 2 })).toBe(3);
    expect(positionAt("a\nbc\nd", 3)).toEqual({ line: 2, column: 2 });
  });
  test("a_name_that_is_quoted_is_where_it_stands_as_code", () => {
    const sql = "SELECT 'coost' AS x, -- coost\n  coosty, coost FROM requests";
    expect(spanOf("Unknown expression or function identifier `coost` (code 47)", sql)).toEqual({ from: 40, to: 45 });
    expect(spanOf("Unknown expression identifier `gone` (code 47)", sql)).toBeUndefined();
    expect(spanOf("Syntax error (line 2, col 3): coosty", sql)).toEqual({ from: 32, to: 38 });
  });
});

describe("layout", () => {
  test("clauses_have_lines_and_long_lists_too", () => {
    expect(formatted("-- @param days = 30\nselect route,sum(cost_usd) as usd from spend_daily where day>today()-{days:UInt16} and kind='request' group by route order by usd desc limit 10")).toBe(
      "-- @param days = 30\nSELECT route, sum(cost_usd) AS usd\nFROM spend_daily\nWHERE day > today() - {days:UInt16} AND kind = 'request'\nGROUP BY route\nORDER BY usd DESC\nLIMIT 10",
    );
    expect(formatted(`select ${Array.from({ length: 6 }, (_, i) => `sum(some_long_column_${i})`).join(",")} from requests`)).toContain("SELECT\n  sum(some_long_column_0),\n  sum(some_long_column_1),");
  });
  test("statements_in_brackets_are_indented", () => {
    expect(formatted("select a from (select count() as a from requests) where a>1")).toBe("SELECT a\nFROM (\n  SELECT count() AS a\n  FROM requests\n)\nWHERE a > 1");
  });
  test.each(examples.map(({ id, sql }) => [id, sql]))("%s_says_the_same_laid_out_and_stays_so", (_, sql) => {
    const once = formatted(sql);
    const bare = (text: string) => tokensOf(text).map((token) => token.toLowerCase());
    expect(bare(once)).toEqual(bare(sql));
    expect(formatted(once)).toBe(once);
    expect([chartOf(once), beginningsOf(once), parametersOf(once)]).toEqual([chartOf(sql), beginningsOf(sql), parametersOf(sql)]);
  });
});

test("examples_have_ids_of_their_own", () => {
  expect(new Set(examples.map(({ id }) => id)).size).toBe(examples.length);
});
