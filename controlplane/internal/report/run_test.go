package report_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/filter"
	"github.com/weirhq/weir/controlplane/internal/report"
)

var update = flag.Bool("update", false, "write the golden files")

func TestRun(t *testing.T) {
	h := newHouse(t)
	ctx := h.as(t.Context(), 2)

	t.Run("sees_its_own_rows", func(t *testing.T) {
		for _, view := range []string{"requests", "attempts"} {
			result, err := h.Run(ctx, "SELECT count(), uniq(model), any(model) FROM "+view)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([][]any{{fmt.Sprint(perRow), "1", "secret-2"}}, result.Rows); diff != "" {
				t.Errorf("%s: %s", view, diff)
			}
		}
	})

	t.Run("completeness_shows_the_missing_tail", func(t *testing.T) {
		result, err := h.Run(ctx, "SELECT last_seq, settled, missing_tail, holes, doubled_ranges, rows, doubled_rows, complete FROM completeness")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([][]any{{"53", "50", "3", "0", "0", "50", "0", false}}, result.Rows); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("completeness_shows_what_was_dead_lettered_apart", func(t *testing.T) {
		of := h.organizations[2].String()
		for _, r := range []string{"1, 4, false", "5, 5, true", "6, 8, false", "8, 9, true", "9, 9, false", "10, 12, true", "10, 12, true", "15, 15, true"} {
			h.exec(t, `INSERT INTO usage_range (organization_id, gateway_id, agent_id, boot, first_seq, last_seq, dead_lettered) SELECT '`+of+`', '`+of+`', '`+of+`', 'dead', `+r)
		}
		result, err := h.Run(ctx, "SELECT last_seq, settled, dead_lettered, missing_tail, holes, doubled_ranges, complete FROM completeness WHERE boot = 'dead'")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([][]any{{"15", "8", "5", "0", "2", "0", false}}, result.Rows); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("completeness_shows_what_was_put_aside_of_a_revoked_agent", func(t *testing.T) {
		of := h.organizations[2].String()
		for _, r := range []string{"1, 4, false, false", "3, 6, true, true", "9, 10, true, true", "9, 10, true, true"} {
			h.exec(t, `INSERT INTO usage_range (organization_id, gateway_id, agent_id, boot, first_seq, last_seq, dead_lettered, agent_revoked) SELECT '`+of+`', '`+of+`', '`+of+`', 'revoked', `+r)
		}
		h.exec(t, `INSERT INTO agent_tail (organization_id, gateway_id, agent_id, boot, last_seq) SELECT '`+of+`', '`+of+`', '`+of+`', 'revoked', 10`)
		result, err := h.Run(ctx, "SELECT last_seq, settled, dead_lettered, missing_tail, holes, doubled_ranges, of_revoked_agent, complete FROM completeness WHERE boot = 'revoked'")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([][]any{{"10", "4", "0", "6", "0", "0", "4", false}}, result.Rows); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("completeness_has_one_row_for_a_boot_that_two_agents_shipped", func(t *testing.T) {
		of, next := h.organizations[2].String(), uuid.NewString()
		for _, r := range []string{"'" + of + "', 'left', 1, 50", "'" + next + "', 'left', 51, 90"} {
			h.exec(t, `INSERT INTO usage_range (organization_id, gateway_id, agent_id, boot, first_seq, last_seq) SELECT '`+of+`', '`+of+`', `+r)
		}
		for _, agent := range []string{of, next} {
			h.exec(t, `INSERT INTO agent_tail (organization_id, gateway_id, agent_id, boot, last_seq, closed) SELECT '`+of+`', '`+of+`', '`+agent+`', 'left', 90, true`)
		}
		result, err := h.Run(ctx, "SELECT agent_id, last_seq, settled, missing_tail, holes, complete FROM completeness WHERE boot = 'left'")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([][]any{{next, "90", "90", "0", "0", true}}, result.Rows); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("spend_adds_up", func(t *testing.T) {
		result, err := h.Run(ctx, "SELECT day, requests, attempts, cost_usd, unpriced_attempts FROM spend_daily")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([][]any{{"2026-11-20", "50", "50", "98000.000000049", "1"}}, result.Rows); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("values", func(t *testing.T) {
		result, err := h.Run(ctx, `SELECT toInt64(-5), toUInt8(7), toDecimal64(1.5, 9), toDateTime64('2026-11-20 10:00:00.25', 6, 'UTC'),
			toDate('2026-11-20'), NULL, [1, 2], map('a', toUInt64(1)), (1, 'x'), toUUID('0192a000-0000-7000-8000-000000000001'), true, nan, 1.5,
			toUInt256(9), 'é', CAST((1, 'x') AS Tuple(a UInt8, b String)), toIPv4('10.0.0.1'), toNullable(toInt64(3)), unhex('ff'),
			toDateTime('2026-11-20 10:00:00', 'Europe/Berlin'), [NULL, toNullable(toInt64(4))]`)
		if err != nil {
			t.Fatal(err)
		}
		want := []any{"-5", 7.0, "1.5", "2026-11-20T10:00:00.25Z", "2026-11-20", nil, []any{1.0, 2.0}, map[string]any{"a": "1"}, []any{1.0, "x"},
			"0192a000-0000-7000-8000-000000000001", true, "nan", 1.5, "9", "é", map[string]any{"a": 1.0, "b": "x"}, "10.0.0.1", "3", "\uFFFD",
			"2026-11-20T10:00:00+01:00", []any{nil, "4"}}
		if diff := cmp.Diff(want, result.Rows[0]); diff != "" {
			t.Error(diff)
		}
		if _, err := structpb.NewList(result.Rows[0]); err != nil {
			t.Error(err)
		}
	})

	t.Run("a_day_is_a_day_wherever_it_stands", func(t *testing.T) {
		result, err := h.Reports.Run(ctx, report.Query{TimeZone: "America/New_York", SQL: `SELECT
			(toDate('2026-11-20'), toDateTime('2026-11-20 10:00:00')), [(toDate32('2026-11-20'), 1)], map(toDate('2026-11-20'), toDate('2026-11-21')),
			CAST((toDate('2026-11-20'), [toDateTime('2026-11-20 10:00:00')]) AS Tuple(` + "`the_day` Date, at Array(DateTime)" + `)),
			toDate('2026-11-20')::Dynamic, [toDate('2026-11-20')::Variant(Date, String)], toDateTime('2026-11-20 10:00:00')::Dynamic,
			'10:00:00'::Time, '-100:00:01.25'::Time64(3), toFloat32(0.1), [toFloat32(16777216)],
			argMax((day, cost_usd), cost_usd), (SELECT (day, 1) FROM requests WHERE false) FROM requests`})
		if err != nil {
			t.Fatal(err, errors.Unwrap(err))
		}
		const ten = "2026-11-20T10:00:00-05:00"
		want := []any{
			[]any{"2026-11-20", ten}, []any{[]any{"2026-11-20", 1.0}}, map[string]any{"2026-11-20": "2026-11-21"},
			map[string]any{"the_day": "2026-11-20", "at": []any{ten}},
			"2026-11-20", []any{"2026-11-20"}, ten, "10:00:00", "-100:00:01.25", 0.1, []any{16777216.0},
			[]any{"2026-11-20", "2000.000000001"}, nil,
		}
		if diff := cmp.Diff(want, result.Rows[0]); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("truncates_rows", func(t *testing.T) {
		result, err := h.Run(ctx, "SELECT number FROM numbers(10001)")
		if err != nil || len(result.Rows) != report.MaxRows || result.LimitedBy != report.RowLimit {
			t.Errorf("%d rows, limited by %v, %v", len(result.Rows), result.LimitedBy, err)
		}
		result, err = h.Run(ctx, "SELECT number FROM numbers(10000)")
		if err != nil || len(result.Rows) != report.MaxRows || result.LimitedBy != report.NoLimit {
			t.Errorf("%d rows, limited by %v, %v", len(result.Rows), result.LimitedBy, err)
		}
	})

	t.Run("truncates_bytes", func(t *testing.T) {
		result, err := h.Run(ctx, "SELECT repeat('x', 10000) FROM numbers(2000)")
		if err != nil || result.LimitedBy != report.ByteLimit || len(result.Rows) < 800 || len(result.Rows) > 840 {
			t.Errorf("%d rows, limited by %v, %v", len(result.Rows), result.LimitedBy, err)
		}
	})

	t.Run("says_so_when_only_the_last_row_is_left_out", func(t *testing.T) {
		result, err := h.Run(ctx, "SELECT arrayMap(i -> repeat('x', 1000000), range(5)) FROM numbers(2)")
		if err != nil || result.LimitedBy != report.ByteLimit || len(result.Rows) != 1 {
			t.Errorf("%d rows, limited by %v, %v", len(result.Rows), result.LimitedBy, err)
		}
	})
}

func TestRun_errors(t *testing.T) {
	h := newHouse(t)
	for name, c := range map[string]struct {
		sql  string
		kind fault.Kind
		want string
	}{
		"syntax":         {"SELECT FROM WHERE", fault.Invalid, "position"},
		"unknown_column": {"SELECT nonsense FROM requests", fault.Invalid, "nonsense"},
		"unknown_table":  {"SELECT * FROM nonsense", fault.Invalid, "(code 60)"},
		"not_allowed":    {"SELECT * FROM usage_event", fault.Invalid, "public views"},
		"setting":        {"SELECT 1 SETTINGS max_threads = 64", fault.Invalid, "SETTINGS"},
		"memory":         {"SELECT groupArray(number) FROM numbers(1000000000)", fault.Exhausted, "memory"},
		"result":         {"SELECT groupArray(repeat('x', 1000)) FROM numbers(100000)", fault.Exhausted, "larger than"},
		"constants":      {"SELECT repeat('x', 100000) FROM numbers(8000)", fault.Exhausted, "larger than 64 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.Run(h.as(t.Context(), 0), c.sql)
			if !fault.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
			showsNoInside(t, err)
		})
	}

	// The bound is 20 s, of which each would be two processors' work.
	t.Run("time", func(t *testing.T) {
		if was := report.AnswerWithin(1); was != 20 {
			t.Errorf("answers may take %d s", was)
		}
		defer report.AnswerWithin(20)
		_, err := h.Run(h.as(t.Context(), 0), "SELECT count() FROM numbers(100000000000000) WHERE sipHash64(number) = 1")
		if !fault.Is(err, fault.Exhausted) || !strings.Contains(err.Error(), "takes longer than 1 s") {
			t.Errorf("got %v", err)
		}
		showsNoInside(t, err)
	})

	t.Run("server_is_down", func(t *testing.T) {
		h.server.Kill()
		defer h.server.Restart(t) // other tests use it, too
		_, err := h.Run(h.as(t.Context(), 0), "SELECT 1")
		if !fault.Is(err, fault.Unavailable) || errors.Unwrap(err) == nil {
			t.Errorf("got %v, because of %v", err, errors.Unwrap(err))
		}
	})
}

func showsNoInside(t *testing.T, err error) {
	t.Helper()
	for _, inside := range []string{"usage_event", "report_definer", "log_comment", "version 26", "Stack trace", "__table"} {
		if err != nil && strings.Contains(err.Error(), inside) {
			t.Errorf("shows the server's inside: %v", err)
		}
	}
}

func TestOverview(t *testing.T) {
	h := newHouse(t)
	at := func(hour, minute int) time.Time { return time.Date(2026, 11, 20, hour, minute, 0, 0, time.UTC) }
	result, err := h.Overview(h.as(t.Context(), 3), report.Overview{From: at(10, 0), To: at(10, 20), TimeZone: "Europe/Berlin"})
	if err != nil {
		t.Fatal(err)
	}
	ptr := func(n int64) *int64 { return &n }
	want := report.Totals{
		Requests: 20, Errors: 2, InputTokens: 200, OutputTokens: 400, CostNanoUSD: 19 * 3_000_000_000_001, UnpricedRequests: 1,
		DurationP50US: ptr(10000), DurationP95US: ptr(19000), TimeToFirstTokenP95US: ptr(500),
	}
	if diff := cmp.Diff(want, result.Totals); diff != "" {
		t.Error(diff)
	}
	if len(result.Series) != 1 || !result.Series[0].Start.Equal(at(10, 0)) || len(result.Routes) != 1 || result.Routes[0].Route != "route-secret-3" {
		t.Errorf("series %v, routes %v", result.Series, result.Routes)
	}
	empty, err := h.Overview(h.as(t.Context(), 3), report.Overview{From: at(1, 0), To: at(2, 0)})
	if err != nil || empty.Totals != (report.Totals{}) {
		t.Errorf("of no requests: %+v, %v", empty.Totals, err)
	}
}

func TestSQL_golden(t *testing.T) {
	o := report.Overview{}.WithDefaults(time.Now())
	for name, sql := range map[string]string{
		"overview_totals": o.TotalsSQL(), "overview_series": o.SeriesSQL(), "overview_routes": o.RoutesSQL(),
		"requests_first": requestsSQL(t, filter.Place{}), "requests_next": requestsSQL(t, filter.Place{Values: []string{"2026-11-20T10:00:00Z"}, ID: uuid.Max}),
	} {
		golden(t, name, sql)
	}
}

// golden holds a statement to testdata/<name>.sql.
func golden(t *testing.T, name, sql string) {
	t.Helper()
	path := filepath.Join("testdata", name+".sql")
	if *update {
		if err := os.WriteFile(path, []byte(sql+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), sql+"\n"); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}
