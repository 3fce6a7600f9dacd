package report_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/report"
)

//go:embed testdata/hostile.sql
var hostile string

// No statement shows anything of another tenant, in rows or in errors.
func TestRun_hostile(t *testing.T) {
	h := newHouse(t)
	const me = 4
	for i, line := range strings.Split(strings.TrimSpace(hostile), "\n") {
		sql := strings.ReplaceAll(line, "{foreign}", h.organizations[1].String())
		t.Run(fmt.Sprintf("%03d_%.50s", i+1, line), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(h.as(t.Context(), me), 4*time.Second)
			defer cancel()
			result, err := h.Run(ctx, sql)
			h.seesNothing(t, me, sql, result, err)
			file := &report.CSV{}
			_, streamErr := h.Stream(ctx, report.Query{SQL: sql, TimeZone: "Asia/Kathmandu", Parameters: foreignParameters(h)}, file)
			h.showsNothing(t, me, sql, string(file.Take())+"the caller sees: "+fmt.Sprint(streamErr))
			var meant *fault.Error
			if streamErr != nil && !errors.As(streamErr, &meant) && ctx.Err() == nil {
				t.Errorf("the caller of a stream would get an internal error: %v", streamErr)
			}
			if err != nil && !errors.As(err, &meant) && ctx.Err() == nil {
				t.Errorf("the caller would get an internal error: %v", err)
			}
		})
	}
	h.isIdle(t, 10*time.Second)
	if rows := h.run(t, 1, "SELECT count() FROM requests"); rows[0][0] != fmt.Sprint(perRow) {
		t.Errorf("afterwards another has %v", rows)
	}
}

// foreignParameters name what is another's.
func foreignParameters(h *house) map[string]any {
	return map[string]any{"t": "usage_event", "c": "organization_id", "p": "secret-1' OR 1 = 1 --", "foreign": h.organizations[1].String()}
}

// The server holds by itself, whatever the guard lets through.
func TestEngine_hostile(t *testing.T) {
	h := newHouseOn(t, chtest.Start(t))
	const me = 4
	conn := h.server.Report(t)
	for i, line := range strings.Split(strings.TrimSpace(hostile), "\n") {
		if lower := strings.ToLower(line); strings.Contains(lower, "explain") || strings.Contains(lower, "file") || strings.Contains(lower, "/etc/passwd") {
			continue // the guard's: estimates count everybody's rows, and this engine reads any file
		}
		sql := strings.ReplaceAll(line, "{foreign}", h.organizations[1].String())
		t.Run(fmt.Sprintf("%03d_%.50s", i+1, line), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
			defer cancel()
			ctx = clickhouse.Context(ctx, clickhouse.WithQueryID(report.QueryID(h.organizations[me])),
				clickhouse.WithSettings(report.Settings(h.organizations[me])))
			rows, err := conn.Query(ctx, sql)
			if err != nil {
				h.seesNothing(t, me, sql, report.Result{}, err)
				return
			}
			result, err := report.Collect(rows, cancel)
			h.seesNothing(t, me, sql, result, err)
		})
	}
}

func (h *house) seesNothing(t *testing.T, me int, sql string, result report.Result, err error) {
	t.Helper()
	seen, marshalErr := json.Marshal(result)
	if marshalErr != nil {
		t.Fatal(marshalErr)
	}
	h.showsNothing(t, me, sql, string(seen)+"the caller sees: "+fmt.Sprint(err))
	for _, row := range result.Rows {
		if len(result.Rows) == 1 && len(row) == 1 && row[0] == fmt.Sprint(tenants*perRow) {
			t.Errorf("%s counts everybody's rows", sql)
		}
	}
}

func (h *house) showsNothing(t *testing.T, me int, sql, all string) {
	t.Helper()
	for i, organization := range h.organizations {
		if i == me {
			continue
		}
		for _, marker := range []string{fmt.Sprintf("secret-%d", i), organization.String()} {
			if strings.Contains(all, marker) && !strings.Contains(sql, marker) {
				t.Errorf("%s shows %s: %.600s", sql, marker, all)
			}
		}
	}
	// A name of a column is the caller's text; an error begins a line of its own.
	if _, after, ok := strings.Cut(all, "the caller sees: "); ok && strings.Contains(after, "found it") {
		t.Errorf("%s tells what it found: %.600s", sql, after)
	}
	if strings.Contains(all, "root:x:0:0") {
		t.Errorf("%s reads a file of the machine", sql)
	}
}

func TestRun_nobody(t *testing.T) {
	h := newHouse(t)
	if _, err := h.Run(t.Context(), "SELECT 1"); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("without a principal: %v", err)
	}
	var rows uint64
	conn := h.server.Report(t)
	if err := conn.QueryRow(t.Context(), "SELECT count() FROM requests").Scan(&rows); err != nil || rows != 0 {
		t.Errorf("without an organization %d rows, %v", rows, err)
	}
}

// No limit counts rows before the row filters: where it ended would tell how many lie
// beside the caller's. The profile of the user has one, of 100,000,000 rows.
func TestRun_limits_count_nobody_else(t *testing.T) {
	h := newHouse(t)
	for _, beside := range []int{10, perRow + 10, tenants*perRow - 10, tenants*perRow + 10} {
		sql := fmt.Sprintf("SELECT count() FROM (SELECT toInt64(number) AS n FROM numbers(%d) UNION ALL SELECT seq FROM requests)", 100_000_000-beside)
		result, err := h.Run(h.as(t.Context(), 1), sql)
		if err != nil || result.Rows[0][0] != fmt.Sprint(100_000_000-beside+perRow) {
			t.Errorf("%d below the limit: %v, %v", beside, result.Rows, err)
		}
	}
}
