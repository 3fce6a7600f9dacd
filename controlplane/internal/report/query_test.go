package report_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/report"
)

// Values reach the server as they are, whatever is in them, and never as text of SQL.
func TestQuery_parameters(t *testing.T) {
	h := newHouse(t)
	odd := "it's \"odd\" \\té \\n \\\\ %_ $1 {x} \t\n\r ';--"
	for _, c := range []struct {
		sql   string
		value any
		want  any
	}{
		{"{p:String}", odd, odd},
		{"{p:String}", "", ""},
		{"{p:Array(String)}", []any{odd, "b"}, []any{odd, "b"}},
		{"{p:Map(String, String)}", map[string]any{odd: odd}, map[string]any{odd: odd}},
		{"{p:Int64}", "9223372036854775807", "9223372036854775807"},
		{"{p:Int64}", -5.0, "-5"},
		{"{p:Float64}", 1.5, 1.5},
		{"{p:Array(UInt8)}", []any{1.0, 2.0}, []any{1.0, 2.0}},
		{"{p:Bool}", true, true},
		{"{p:Nullable(String)}", nil, nil},
		{"{p:Array(Nullable(Int32))}", []any{nil, 3.0}, []any{nil, 3.0}},
		{"{p:Decimal(18, 9)}", "1.000000001", "1.000000001"},
		{"{p:DateTime64(6, 'UTC')}", "2026-11-20 10:00:00.25", "2026-11-20T10:00:00.25Z"},
		{"{p:Array(Date)}", []any{"2026-11-20"}, []any{"2026-11-20"}},
		{"{p:UUID}", h.organizations[1].String(), h.organizations[1].String()},
	} {
		result, err := h.Reports.Run(h.as(t.Context(), 1), report.Query{SQL: "SELECT " + c.sql, Parameters: map[string]any{"p": c.value}})
		if err != nil {
			t.Errorf("%s of %v: %v", c.sql, c.value, err)
			continue
		}
		if diff := cmp.Diff([][]any{{c.want}}, result.Rows); diff != "" {
			t.Errorf("%s: %s", c.sql, diff)
		}
	}
	for _, c := range []struct {
		sql   string
		value any
		want  string
	}{
		{"{p:Int64}", "nine", "p"},
		{"{p:Int64}", 1e300, "2^53"},
		{"{q:Int64}", "1", "q"},
		{"{p:Identifier} FROM requests", "model", "parameters are values"},
	} {
		_, err := h.Reports.Run(h.as(t.Context(), 1), report.Query{SQL: "SELECT " + c.sql, Parameters: map[string]any{"p": c.value}})
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %v: %v", c.sql, c.value, err)
		}
	}
}

// A time zone changes what days are and how times are written, and no row that is seen.
func TestQuery_time_zone(t *testing.T) {
	h := newHouse(t)
	const sql = `SELECT min(started_at), toDateTime('2026-11-20 10:00:00'), toDate('2026-11-20'), toUnixTimestamp('2026-11-20 00:00:00'),
		toStartOfDay(min(started_at), {time_zone:String}), count(), timezone() FROM requests`
	for zone, want := range map[string][]any{
		"":                 {"2026-11-20T10:00:00Z", "2026-11-20T10:00:00Z", "2026-11-20", 1795132800.0, "2026-11-20T00:00:00Z", "50", "UTC"},
		"Asia/Kathmandu":   {"2026-11-20T15:45:00+05:45", "2026-11-20T10:00:00+05:45", "2026-11-20", 1795112100.0, "2026-11-20T00:00:00+05:45", "50", "Asia/Kathmandu"},
		"America/New_York": {"2026-11-20T05:00:00-05:00", "2026-11-20T10:00:00-05:00", "2026-11-20", 1795150800.0, "2026-11-20T00:00:00-05:00", "50", "America/New_York"},
	} {
		result, err := h.Reports.Run(h.as(t.Context(), 1), report.Query{SQL: sql, TimeZone: zone})
		if err != nil {
			t.Fatalf("%s: %v", zone, err)
		}
		if diff := cmp.Diff([][]any{want}, result.Rows); diff != "" {
			t.Errorf("%s: %s", zone, diff)
		}
	}
	for _, zone := range []string{"Nowhere/Land", "Local", "../etc/passwd", "UTC'; --", "UTC\x00", "UTC, readonly = 0"} {
		if _, err := h.Reports.Run(h.as(t.Context(), 1), report.Query{SQL: "SELECT 1", TimeZone: zone}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", zone, err)
		}
	}
}
