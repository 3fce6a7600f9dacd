package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/controlplane/internal/report"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// spent stores one request of tenant 1 per line: start, route, label team, dollars, outcome.
func (h *house) spent(t *testing.T, lines ...string) {
	t.Helper()
	for _, line := range lines {
		f := strings.Fields(line)
		h.exec(t, `INSERT INTO usage_event (organization_id, request_id, started_at, route, labels, priced_cost_usd, cost_usd, outcome, duration_us, text_input_tokens, lease_until)
			SELECT '`+h.organizations[1].String()+`', generateUUIDv4(), parseDateTime64BestEffort('`+f[0]+`', 6, 'UTC'), '`+f[1]+`', map('team', '`+f[2]+`'), `+f[3]+`, `+f[3]+`, '`+f[4]+`', 1000, 10, now() + 10`)
	}
}

func numbers(values report.Values) (out []any) {
	for _, v := range values {
		if v == nil {
			out = append(out, nil)
		} else {
			out = append(out, int(*v))
		}
	}
	return out
}

func points(of []report.Values, measure int) (out []any) {
	for _, values := range of {
		out = append(out, numbers(values)[measure])
	}
	return out
}

func TestMetrics(t *testing.T) {
	h := newHouse(t)
	h.exec(t, "ALTER TABLE usage_event DELETE WHERE organization_id = '"+h.organizations[1].String()+"' SETTINGS mutations_sync = 1")
	h.spent(t,
		"2026-03-28T12:00:00Z a x 1 ok", "2026-03-28T22:59:59Z a x 2 ok", // Berlin: the 28th, clocks go forward on the 29th
		"2026-03-28T23:00:00Z a y 4 ok", "2026-03-29T21:59:59Z b y 8 upstream_error", // the 29th, of 23 hours
		"2026-03-29T22:00:00Z c x 16 ok",  // the 30th
		"2026-03-26T23:30:00Z a x 0.5 ok", // the 27th, in the period before
	)
	ask := func(t *testing.T, m report.Metrics) report.MetricsResult {
		t.Helper()
		if m.From.IsZero() {
			m.From, m.To, m.Interval, m.TimeZone = at("2026-03-28T00:00:00+01:00"), at("2026-03-31T00:00:00+02:00"), report.Day, "Europe/Berlin"
		}
		result, err := h.Metrics(h.as(t.Context(), 1), m)
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	t.Run("days_of_a_time_zone_and_the_days_before", func(t *testing.T) {
		r := ask(t, report.Metrics{Measures: []report.Measure{report.Spend, report.RequestCount, report.DurationP95}, ComparePrevious: true})
		if diff := cmp.Diff([]any{3_000_000_000, 12_000_000_000, 16_000_000_000}, points(r.Total.Points, 0)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]any{31_000_000_000, 5, 1000}, approx(numbers(r.Total.Totals))); diff != "" {
			t.Error(diff)
		}
		if !r.PreviousFrom.Equal(at("2026-03-25T00:00:00+01:00")) || !r.PreviousTo.Equal(at("2026-03-28T00:00:00+01:00")) {
			t.Errorf("before: %s to %s", r.PreviousFrom, r.PreviousTo)
		}
		if diff := cmp.Diff([]any{0, 0, 500_000_000}, points(r.Total.PreviousPoints, 0)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]any{nil, nil, 1000}, approx(points(r.Total.PreviousPoints, 2))); diff != "" {
			t.Errorf("a gap is no zero: %s", diff)
		}
	})
	t.Run("top_groups_and_the_rest", func(t *testing.T) {
		for _, measures := range [][]report.Measure{{report.Spend, report.ErrorCount}, {report.Spend, report.ErrorCount, report.DurationP50}} {
			r := ask(t, report.Metrics{Measures: measures, GroupBy: []string{"route"}, Top: 2})
			got := map[string]any{}
			for _, s := range r.Series {
				got[s.Group[0]] = append(points(s.Points, 0), numbers(s.Totals)[:2]...)
			}
			want := map[string]any{
				"c": []any{0, 0, 16_000_000_000, 16_000_000_000, 0}, "b": []any{0, 8_000_000_000, 0, 8_000_000_000, 1},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]any{3_000_000_000, 4_000_000_000, 0}, points(r.Other.Points, 0)); diff != "" {
				t.Error(diff)
			}
			if *r.Series[0].PartOfAll != 516_129 || r.Series[0].Group[0] != "c" {
				t.Errorf("the first is %v, %v of all", r.Series[0].Group, *r.Series[0].PartOfAll)
			}
		}
	})
	t.Run("by_two_things_and_a_filter", func(t *testing.T) {
		filter, err := report.RequestFields.Parse(`route = a`)
		if err != nil {
			t.Fatal(err)
		}
		r := ask(t, report.Metrics{Measures: []report.Measure{report.RequestCount}, GroupBy: []string{"label:team", "project"}, Filter: filter})
		if len(r.Series) != 2 || r.Other != nil || r.Series[0].Group[0] != "x" || r.Series[0].Group[1] != "" || *r.Series[1].Totals[0] != 1 {
			t.Errorf("got %+v", r.Series)
		}
	})
	t.Run("every_interval_and_dimension", func(t *testing.T) {
		for _, i := range []report.Interval{report.Minute, report.Hour, report.Day, report.Week, report.Month} {
			for _, zone := range []string{"UTC", "Asia/Kathmandu", "America/New_York"} {
				r := ask(t, report.Metrics{
					Measures: []report.Measure{report.RequestCount, report.FirstTokenP99}, From: at("2026-03-28T00:00:00Z"), To: at("2026-03-30T01:00:00Z"), Interval: i, TimeZone: zone,
				})
				if sum := total(points(r.Total.Points, 0)); sum != 5 || *r.Total.Totals[0] != 5 {
					t.Errorf("%d in %s: %d requests", i, zone, sum)
				}
			}
		}
		for _, d := range []string{"project", "key", "route", "provider", "model", "surface", "outcome", "end_user", "gateway", "label:it's \\odd"} {
			r := ask(t, report.Metrics{Measures: []report.Measure{report.Tokens, report.DurationP99}, GroupBy: []string{d}})
			if *r.Total.Totals[0] != 50 || len(r.Series) == 0 {
				t.Errorf("%s: %v", d, numbers(r.Total.Totals))
			}
		}
	})
	t.Run("hours_that_clocks_were_set_in", func(t *testing.T) {
		h.spent(t, "2026-04-04T14:10:00Z lord x 1 ok", "2026-04-04T14:40:00Z lord x 1 ok", "2026-04-04T15:10:00Z lord x 1 ok", "2026-04-04T15:40:00Z lord x 1 ok",
			"2026-10-03T14:40:00Z lord x 1 ok", "2026-10-03T15:10:00Z lord x 1 ok", "2026-10-03T15:40:00Z lord x 1 ok", "2026-10-03T16:10:00Z lord x 1 ok")
		for _, day := range []string{"2026-04-04", "2026-10-03"} {
			for _, measures := range [][]report.Measure{{report.RequestCount}, {report.RequestCount, report.DurationP50}} {
				r := ask(t, report.Metrics{Measures: measures, From: at(day + "T12:00:00Z"), To: at(day + "T18:00:00Z"), Interval: report.Hour, TimeZone: "Australia/Lord_Howe"})
				if sum := total(points(r.Total.Points, 0)); sum != 4 || *r.Total.Totals[0] != 4 {
					t.Errorf("%s: %v, %d in all", day, points(r.Total.Points, 0), *r.Total.Totals[0])
				}
			}
		}
	})
	t.Run("bounds_of_all_values", func(t *testing.T) {
		ten := report.Metrics{
			Measures: []report.Measure{report.Spend}, GroupBy: []string{"key"}, Interval: report.Minute, From: at("2026-01-01T00:00:00Z"), To: at("2026-01-02T00:00:00Z"),
		}.WithDefaults(time.Now())
		many, twice := ten, ten
		many.Measures = []report.Measure{report.Spend, report.RequestCount, report.Tokens}
		twice.GroupBy, twice.Measures, twice.ComparePrevious, twice.To = nil, []report.Measure{report.Spend, report.Tokens}, true, at("2026-01-11T00:00:00Z")
		for want, m := range map[string]report.Metrics{"": ten, "more than 1388 points": many, "more than 12500 points": twice} {
			if err := m.Validate(); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("want %q: %v", want, err)
			}
		}
	})
	t.Run("mistakes", func(t *testing.T) {
		for want, m := range map[string]report.Metrics{
			"group_by":  {Measures: []report.Measure{report.Spend}, GroupBy: []string{"nonsense"}},
			"measures":  {},
			"time_zone": {Measures: []report.Measure{report.Spend}, TimeZone: "Mars"},
			"interval":  {Measures: []report.Measure{report.Spend}, GroupBy: []string{"key"}, Top: 50, Interval: report.Minute, From: at("2026-01-01T00:00:00Z"), To: at("2026-01-03T00:00:00Z")},
		} {
			if _, err := h.Metrics(h.as(t.Context(), 1), m); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", want, err)
			}
		}
	})
}

func total(of []any) (sum int) {
	for _, v := range of {
		sum += v.(int) //nolint:forcetypeassert // it is, or the test fails
	}
	return sum
}

// approx takes quantiles, which are within a hundredth, for what they are near.
func approx(of []any) []any {
	for i, v := range of {
		if n, ok := v.(int); ok && n > 985 && n < 1015 {
			of[i] = 1000
		}
	}
	return of
}

func TestMetrics_golden(t *testing.T) {
	filter, err := report.RequestFields.Parse(`route = a outcome != ok`)
	if err != nil {
		t.Fatal(err)
	}
	m := report.Metrics{
		Measures: []report.Measure{report.Spend, report.ErrorCount, report.DurationP95}, GroupBy: []string{"project", "label:team"}, Filter: filter,
		From: at("2026-03-28T00:00:00Z"), To: at("2026-03-30T00:00:00Z"), Interval: report.Day, TimeZone: "Europe/Berlin",
	}.WithDefaults(time.Now())
	top, _ := m.TopSQL()
	odd := m
	odd.From, odd.Interval, odd.GroupBy = m.From.Add(time.Minute), report.Minute, nil
	for name, sql := range map[string]string{
		"metrics_top": top, "metrics_series": report.MetricsSQL(m, true, true), "metrics_totals": report.MetricsSQL(m, false, true), "metrics_minutes": report.MetricsSQL(odd, true, false),
	} {
		golden(t, name, sql)
	}
}
