package report_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/filter"
	"github.com/weirhq/weir/controlplane/internal/report"
)

// listOf asks for requests; 20 on a page.
func listOf(t *testing.T, text, orderBy string) report.List {
	t.Helper()
	l := report.List{Size: 20}
	var err error
	if l.Filter, err = report.RequestFields.Parse(text); err != nil {
		t.Fatal(err)
	}
	if l.Order, err = report.RequestFields.ParseOrder(orderBy); err != nil {
		t.Fatal(err)
	}
	return l
}

func requestsSQL(t *testing.T, after filter.Place) string {
	t.Helper()
	l := listOf(t, "", "")
	l.After = after
	sql, _, err := l.SQL()
	if err != nil {
		t.Fatal(err)
	}
	return sql
}

// all pages of a list.
func (h *house) all(t *testing.T, tenant int, l report.List) []report.Request {
	t.Helper()
	var seen []report.Request
	for {
		page, next, err := h.Requests(h.as(t.Context(), tenant), l)
		if err != nil {
			t.Fatal(err)
		}
		if seen = append(seen, page...); next == nil {
			return seen
		}
		if len(page) != l.Size {
			t.Fatalf("%d requests on a page that is not the last", len(page))
		}
		l.After = *next
	}
}

func TestRequests_orders(t *testing.T) {
	h := newHouse(t)
	clock := func(r report.Request) string { return r.StartedAt.Format(time.TimeOnly) }
	for _, c := range []struct{ order, first, last string }{
		{"", "10:49:00", "10:00:00"},
		{"started_at", "10:00:00", "10:49:00"},
		{"duration_us desc", "10:49:00", "10:00:00"},
		{"input_tokens, started_at desc", "10:49:00", "10:00:00"},
	} {
		seen := h.all(t, 1, listOf(t, "", c.order))
		if len(seen) != perRow || clock(seen[0]) != c.first || clock(seen[perRow-1]) != c.last {
			t.Errorf("%q: %d requests, %v to %v", c.order, len(seen), seen[0], seen[len(seen)-1])
		}
	}
	l := listOf(t, "", "")
	l.After = filter.Place{Values: []string{"nonsense"}, ID: uuid.New()}
	if _, _, err := h.Requests(h.as(t.Context(), 1), l); !fault.Is(err, fault.Invalid) {
		t.Errorf("a place that was made up: %v", err)
	}
}

func TestRequests_filters(t *testing.T) {
	h := newHouse(t)
	odd := `it's "odd" \té \n \\ %_ $1 {x}`
	h.exec(t, `ALTER TABLE usage_event UPDATE error_code = '`+quoteSQL(odd)+`' WHERE seq = 5 SETTINGS mutations_sync = 1`)
	by := uuid.NewString()
	h.exec(t, `ALTER TABLE usage_event UPDATE refused_by_quota_id = '`+by+`', queued_us = 1500 WHERE seq IN (6, 7) SETTINGS mutations_sync = 1`)
	for text, want := range map[string]int{
		``:                            perRow,
		`refused_by_quota_id = ` + by: 2, `refused_by_quota_id:*`: 2, `queued_us > 1000`: 2, `queued_us = 0`: perRow - 2,
		`outcome = upstream_error`: 5, `outcome != upstream_error`: 45, `-outcome:ERROR`: 45, `outcome = upstream_*`: 5, `outcome != upstream_*`: 45,
		`started_at >= "2026-11-20T10:45:00Z"`: 5, `duration_us > 45000 AND streamed = true`: 2, `status = 200 status < 500`: perRow,
		`time_to_first_token_us:*`: 25, `NOT time_to_first_token_us > 1`: 25, `time_to_first_token_us != 500`: 25,
		`route-secret-1`: perRow, `ROUTE`: perRow, `key_id = ` + h.organizations[1].String(): perRow,
		`error_code = ` + quote(odd): 1, `error_code:` + quote(odd): 1,
		// of others
		`key_id = ` + h.organizations[2].String(): 0, `model = "secret-2" OR provider:"secret-2" OR route-secret-2*`: 0,
	} {
		seen := h.all(t, 1, listOf(t, text, ""))
		if len(seen) != want || slices.ContainsFunc(seen, func(r report.Request) bool { return r.Model != "secret-1" }) {
			t.Errorf("%s: %d requests, want %d", text, len(seen), want)
		}
	}
}

// quote and quoteSQL write a text for a filter, and for ClickHouse.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `*`, `\*`).Replace(text) + `"`
}

func quoteSQL(text string) string { return strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) }
