package report_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/report"
)

var (
	fellBack = uuid.MustParse("0192a000-0000-7000-8000-000000000101")
	itsCopy  = uuid.MustParse("0192a000-0000-7000-8000-000000000102")
	// shadowBudget is what fellBack went beyond.
	shadowBudget = uuid.MustParse("0192a000-0000-7000-8000-000000000103")
)

var refusedAtOnce = map[string]string{"outcome": "'refused'", "streamed": "true", "duration_us": "1", "cost_usd": "0"}

// asked are rows of route "asked", columns as SQL: a request that fell back, with a copy
// for a shadow; a hedged one; one without a price; three that were refused at once.
var asked = []map[string]string{
	{
		"request_id": "'" + fellBack.String() + "'", "end_user": "'ada'", "run_id": "'run-1'", "labels": "map('team', 'search', 'env', 'prod')",
		"candidate.provider": "['b', 'a', 'c']", "candidate.model": "['m', 'm', 'm']", "candidate.verdict": "['breaker_open', 'chosen', 'standby']",
		"duration_us": "900000", "cost_usd": "2", "priced_cost_usd": "2", "queued_us": "300", "beyond_quota_ids": "['" + shadowBudget.String() + "']",
		"attempt.provider": "['a', 'c']", "attempt.model": "['m', 'm']", "attempt.cause": "['first', 'fallback']", "attempt.outcome": "['upstream_error', 'ok']",
		"attempt.cost_usd": "[0.5, 1.5]", "attempt.started_after_us": "[10, 2000]", "attempt.time_to_first_token_us": "[NULL, 7000]", "attempt.status": "[503, 200]",
	},
	{
		"request_id": "'" + itsCopy.String() + "'", "kind": "'shadow'", "parent_request_id": "'" + fellBack.String() + "'", "outcome": "'upstream_error'",
		"end_user":    "'ada'",
		"duration_us": "9000000", "priced_cost_usd": "4", "labels": "map('team', 'search')",
		"attempt.provider": "['d', 'd']", "attempt.model": "['m', 'm']", "attempt.cause": "['shadow', 'retry']", "attempt.outcome": "['upstream_error', 'ok']",
		"attempt.cost_usd": "[4, NULL]", "attempt.started_after_us": "[0, 9]",
	},
	{
		"end_user": "'bob'", "surface": "'anthropic_messages'", "labels": "map('team', 'ads')", "duration_us": "100000", "cost_usd": "0.5", "priced_cost_usd": "0.5",
		"attempt.provider": "['a', 'c']", "attempt.model": "['m', 'm']", "attempt.cause": "['first', 'hedge']", "attempt.outcome": "['overtaken', 'ok']",
		"attempt.cost_usd": "[0.25, 0.25]",
	},
	{
		"surface": "'openai_images'", "labels": "map('team', '')", "duration_us": "100000",
		"attempt.provider": "['a']", "attempt.model": "['m']", "attempt.cause": "['canary']", "attempt.outcome": "['ok']", "attempt.cost_usd": "[NULL]",
	},
	refusedAtOnce, refusedAtOnce, refusedAtOnce,
}

// ask puts them under a tenant, an hour ago.
func (h *house) ask(t *testing.T, tenant int) {
	t.Helper()
	for _, row := range asked {
		columns := map[string]string{
			"organization_id": "'" + h.organizations[tenant].String() + "'", "request_id": "generateUUIDv4()", "started_at": "now64(6) - INTERVAL 1 HOUR",
			"outcome": "'ok'", "surface": "'openai_chat'", "route": "'asked'", "cost_usd": "NULL", "lease_until": "now() + INTERVAL 1 HOUR",
		}
		maps.Copy(columns, row)
		names := slices.Sorted(maps.Keys(columns))
		values := make([]string, len(names))
		for i, name := range names {
			values[i] = columns[name]
		}
		h.exec(t, "INSERT INTO usage_event (`"+strings.Join(names, "`, `")+"`) SELECT "+strings.Join(values, ", "))
	}
}

func (h *house) run(t *testing.T, tenant int, sql string) [][]any {
	t.Helper()
	result, err := h.Run(h.as(t.Context(), tenant), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return result.Rows
}

func TestFacts_in_SQL(t *testing.T) {
	h := newHouse(t)
	h.ask(t, 4)
	for name, c := range map[string]struct {
		sql  string
		want [][]any
	}{
		"shadows_are_no_requests": {
			"SELECT count(), countIf(outcome = 'upstream_error'), sum(priced_cost_usd), groupUniqArray(kind) FROM requests WHERE route = 'asked'",
			[][]any{{"6", "0", "2.5", []any{"request"}}},
		},
		"their_cost_stands_apart": {
			"SELECT kind, sum(requests), sum(attempts), sum(cost_usd), sum(unpriced_attempts) FROM spend_daily WHERE route = 'asked' GROUP BY kind ORDER BY kind",
			[][]any{{"request", "6", "5", "2.5", "1"}, {"shadow", "0", "2", "4", "1"}},
		},
		// Within 1 %, and of three requests p95 is the second.
		"latency_is_of_what_was_served": {
			"SELECT sum(requests), min(duration_p50_us), max(duration_p99_us), countIf(duration_p50_us IS NULL) FROM latency_hourly WHERE route = 'asked'",
			[][]any{{"6", "99741", "99741", "1"}},
		},
		"candidates": {
			"SELECT candidates FROM requests WHERE run_id = 'run-1'",
			[][]any{{[]any{
				map[string]any{"provider": "b", "model": "m", "verdict": "breaker_open"},
				map[string]any{"provider": "a", "model": "m", "verdict": "chosen"}, map[string]any{"provider": "c", "model": "m", "verdict": "standby"},
			}}},
		},
		"by_label_user_and_run": {
			"SELECT labels['team'], mapKeys(labels), end_user, run_id FROM requests WHERE labels['team'] = 'search' AND end_user = 'ada' AND run_id = 'run-1'",
			[][]any{{"search", []any{"team", "env"}, "ada", "run-1"}},
		},
		"attempts_by_cause": {
			"SELECT cause, kind, count(), sum(cost_usd), min(end_user), min(labels['team']) FROM attempts WHERE route = 'asked' GROUP BY cause, kind ORDER BY cause",
			[][]any{
				{"canary", "request", "1", nil, "", ""}, {"fallback", "request", "1", "1.5", "ada", "search"}, {"first", "request", "2", "0.75", "ada", "ads"},
				{"hedge", "request", "1", "0.25", "bob", "ads"}, {"retry", "shadow", "1", nil, "ada", "search"}, {"shadow", "shadow", "1", "4", "ada", "search"},
			},
		},
		"attempts_begin_after_their_request": {
			"SELECT dateDiff('microsecond', request_started_at, started_at) FROM attempts WHERE run_id = 'run-1' ORDER BY attempt",
			[][]any{{"10"}, {"2000"}},
		},
		"columns_without_rows": {"SELECT * FROM attempts LIMIT 0", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, h.run(t, 4, c.sql)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if rows := h.run(t, 1, "SELECT count() FROM attempts WHERE route = 'asked' OR end_user IN ('ada', 'bob') OR mapContains(labels, 'team')"); rows[0][0] != "0" {
		t.Errorf("another organization sees %v of them", rows)
	}
}

func TestOverview_counts_shadows_in_nothing_but_cost(t *testing.T) {
	h := newHouse(t)
	h.ask(t, 4)
	now := time.Now()
	got, err := h.Overview(h.as(t.Context(), 4), report.Overview{From: now.Add(-24 * time.Hour), To: now})
	if err != nil {
		t.Fatal(err)
	}
	low, high := int64(100_000), int64(900_000)
	want := report.Totals{
		Requests: 6, Errors: 3, CostNanoUSD: 6_500_000_000, UnpricedRequests: 1, DurationP50US: &low, DurationP95US: &high,
		Shadows: 1, ShadowCostNanoUSD: 4_000_000_000, UnpricedShadows: 1,
	}
	if diff := cmp.Diff(want, got.Totals); diff != "" {
		t.Error(diff)
	}
	if len(got.Series) != 1 || len(got.Routes) != 1 || got.Routes[0].Route != "asked" {
		t.Fatalf("series %v, routes %v", got.Series, got.Routes)
	}
	if diff := cmp.Diff([]report.Totals{want, want}, []report.Totals{got.Series[0].Totals, got.Routes[0].Totals}); diff != "" {
		t.Error(diff)
	}
}

func TestRequest(t *testing.T) {
	h := newHouse(t)
	h.ask(t, 4)
	got, err := h.Request(h.as(t.Context(), 4), fellBack)
	if err != nil {
		t.Fatal(err)
	}
	half, more, four, token := int64(500_000_000), int64(1_500_000_000), int64(4_000_000_000), int64(7000)
	want := report.Details{
		Request: report.Request{
			RequestID: fellBack, Route: "asked", Outcome: "ok", Attempts: 2, CostNanoUSD: ptr(int64(2_000_000_000)), DurationUS: 900_000,
			Surface: "openai_chat", EndUser: "ada", RunID: "run-1", Labels: map[string]string{"team": "search", "env": "prod"},
			QueuedUS: 300, Beyond: []uuid.UUID{shadowBudget},
		},
		Candidates: []report.Candidate{{"b", "m", "breaker_open"}, {"a", "m", "chosen"}, {"c", "m", "standby"}},
		Attempts: []report.Attempt{
			{RequestID: fellBack, Kind: "request", Cause: "first", Provider: "a", Model: "m", Outcome: "upstream_error", Status: 503,
				StartedAfterUS: 10, CostNanoUSD: &half},
			{RequestID: fellBack, Kind: "request", Cause: "fallback", Provider: "c", Model: "m", Outcome: "ok", Status: 200,
				StartedAfterUS: 2000, TimeToFirstTokenUS: &token, CostNanoUSD: &more},
		},
		Shadows: []report.Attempt{
			{RequestID: itsCopy, Kind: "shadow", Cause: "shadow", Provider: "d", Model: "m", Outcome: "upstream_error", CostNanoUSD: &four},
			{RequestID: itsCopy, Kind: "shadow", Cause: "retry", Provider: "d", Model: "m", Outcome: "ok", StartedAfterUS: 9},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(report.Request{}, "StartedAt")); diff != "" {
		t.Error(diff)
	}
	for name, tenant := range map[string]int{"of_another_organization": 1, "a_copy_is_none": 4} {
		id := map[int]uuid.UUID{1: fellBack, 4: itsCopy}[tenant]
		if _, err := h.Request(h.as(t.Context(), tenant), id); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func ptr[T any](v T) *T { return &v }

func TestRequests_filters_of_what_callers_say(t *testing.T) {
	h := newHouse(t)
	h.ask(t, 4)
	for text, want := range map[string]int{
		`route = asked`: 6, `end_user = ada`: 1, `run_id = run-1`: 1, `run_id:*`: 51, `surface = openai_*`: 50 + 5, `surface = anthropic_messages`: 1,
		`labels.team = search`: 1, `labels.team:*`: 3, `labels:team`: 3, `labels:*`: 53,
		`labels.note = secret-4 end_user = user-*`: 50, `labels.note = secret-1`: 0, `labels."no such":*`: 0, `labels.team = s*`: 1, `labels.team:EARC`: 1,
		`labels.team != search route = asked`: 5, `labels.team = "" route = asked`: 1, `-labels.env = prod route = asked`: 5,
		`labels."'; DROP" = "\\"`: 0,
	} {
		if seen := h.all(t, 4, listOf(t, text, "")); len(seen) != want {
			t.Errorf("%s: %d requests, want %d", text, len(seen), want)
		}
	}
}

// Every statement of docs/sql.md runs as it stands there, and finds something.
func TestDocs_examples(t *testing.T) {
	h := newHouse(t)
	h.ask(t, 4)
	h.exec(t, `INSERT INTO usage_correction (organization_id, rerate_id, started_at, request_id, attempt, kind, provider, model, old_cost_usd, new_cost_usd, difference_usd)
		SELECT '`+h.organizations[4].String()+`', generateUUIDv4(), now64(6), '`+fellBack.String()+`', 2, 'request', 'c', 'm', 1.5, 2, 0.5`)
	text, err := os.ReadFile("../../../docs/sql.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```sql\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(found) < 9 {
		t.Errorf("%d statements", len(found))
	}
	for _, f := range found {
		if rows := h.run(t, 4, f[1]); len(rows) == 0 {
			t.Errorf("it finds nothing: %s", f[1])
		}
	}
}

// The numbers of some of them.
func TestDocs_examples_tell_the_truth(t *testing.T) {
	h := newHouse(t)
	h.ask(t, 4)
	text, err := os.ReadFile("../../../docs/sql.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "more than its first choice:\n\n```sql\n")
	rates, rest, _ := strings.Cut(rest, "```")
	_, rest, _ = strings.Cut(rest, "```sql\n")
	shares, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("docs/sql.md has lost its rates")
	}
	third := 1.0 / 3
	if diff := cmp.Diff([][]any{{"asked", "3", third, third, 0.0}}, h.run(t, 4, rates)); diff != "" {
		t.Error(diff)
	}
	want := [][]any{
		{"asked", "a", "m", "3", 0.6, "1", third, "0.75"},
		{"asked", "c", "m", "2", 0.4, "0", 0.0, "1.75"},
	}
	if diff := cmp.Diff(want, h.run(t, 4, shares)); diff != "" {
		t.Error(diff)
	}
}
