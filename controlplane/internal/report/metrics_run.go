package report

import (
	"context"
	"maps"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
)

// Values are of measures, in their order; nil: there was nothing to tell it by.
type Values []*int64

// Series is one line of a chart, beside that of the period before.
type Series struct {
	Group          []string
	Totals         Values
	Points         []Values // one per start
	Previous       Values
	PreviousPoints []Values
	// PartOfAll is in millionths, of the first measure; nil where that does not add up.
	PartOfAll *int32
}

// MetricsResult has the top groups, the largest first; Other is nil where there is none.
type MetricsResult struct {
	Metrics
	Starts, PreviousStarts   []time.Time
	PreviousFrom, PreviousTo time.Time
	Total                    *Series
	Series                   []*Series
	Other                    *Series
}

// Metrics runs the queries as the caller's organization.
func (r *Reports) Metrics(ctx context.Context, m Metrics) (MetricsResult, error) {
	m = m.WithDefaults(time.Now())
	if err := m.Validate(); err != nil {
		return MetricsResult{}, err
	}
	ctx, leave, err := r.enter(ctx)
	if err != nil {
		return MetricsResult{}, err
	}
	defer leave()
	out := MetricsResult{Metrics: m}
	groups, err := r.top(ctx, m)
	if err != nil {
		return MetricsResult{}, err
	}
	now, err := r.measure(ctx, m, groups)
	if err != nil {
		return MetricsResult{}, err
	}
	out.Starts = now.calendar.starts
	var before *measured
	if m.ComparePrevious {
		period := m.previous()
		if before, err = r.measure(ctx, period, groups); err != nil {
			return MetricsResult{}, err
		}
		out.PreviousFrom, out.PreviousTo, out.PreviousStarts = period.From, period.To, before.calendar.starts
	}
	out.assemble(groups, now, before)
	return out, nil
}

func (r *Reports) top(ctx context.Context, m Metrics) (groups [][]string, err error) {
	if len(m.GroupBy) == 0 {
		return nil, nil
	}
	sql, parameters := m.TopSQL()
	err = r.each(ctx, sql, parameters, func(rows driver.Rows) error {
		group := make([]string, len(m.GroupBy))
		var most *int64
		into := make([]any, 0, len(group)+1)
		for i := range group {
			into = append(into, &group[i])
		}
		err := rows.Scan(append(into, &most)...)
		groups = append(groups, group)
		return err
	})
	return groups, err
}

// measured is what was found of one period: cells by place and interval.
type measured struct {
	Metrics
	calendar calendar
	cells    map[cell]Values
}

// cell of a group's place, 0 for all others, in an interval.
type cell struct{ place, interval int }

// whole stands for all places, and for all intervals.
const whole = -1

func (r *Reports) measure(ctx context.Context, m Metrics, groups [][]string) (*measured, error) {
	found := &measured{Metrics: m, calendar: newCalendar(m.Interval, m.From, m.To, m.zone), cells: map[cell]Values{}}
	grouped := len(m.GroupBy) > 0
	queries := []metricsQuery{{m, true, grouped}}
	if !m.additive() {
		queries = append(queries, metricsQuery{m, false, false})
		if grouped {
			queries = append(queries, metricsQuery{m, true, false}, metricsQuery{m, false, true})
		}
	}
	for _, q := range queries {
		if err := r.fill(ctx, found, q, groups); err != nil {
			return nil, err
		}
	}
	if m.additive() {
		found.sum()
	}
	return found, nil
}

func (m Metrics) additive() bool {
	for _, one := range m.Measures {
		if !one.adds() {
			return false
		}
	}
	return true
}

func (r *Reports) fill(ctx context.Context, found *measured, q metricsQuery, groups [][]string) error {
	sql, parameters := q.SQL()
	if q.rank {
		parameters["groups"] = literalGroups(groups)
	}
	return r.each(ctx, sql, parameters, func(rows driver.Rows) error {
		var bucket, place int64
		var into []any
		if q.time {
			into = append(into, &bucket)
		}
		if q.rank {
			into = append(into, &place)
		}
		values := make(Values, len(q.Measures))
		for i := range values {
			into = append(into, &values[i])
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		at := cell{whole, whole}
		if q.time {
			at.interval = max(0, found.calendar.index(bucket))
		}
		if q.rank {
			at.place = int(place)
		}
		found.add(at, values)
		return nil
	})
}

func literalGroups(groups [][]string) string {
	all := make([]any, len(groups))
	for i, group := range groups {
		one := make([]any, len(group))
		for j, text := range group {
			one[j] = text
		}
		all[i] = one
	}
	text, err := nested(all)
	if err != nil {
		return "[]"
	}
	return text
}

// sum makes the totals of what adds up.
func (f *measured) sum() {
	for at, values := range maps.Clone(f.cells) {
		f.add(cell{at.place, whole}, values)
		if at.place != whole {
			f.add(cell{whole, at.interval}, values)
			f.add(cell{whole, whole}, values)
		}
	}
}

// add puts values where they belong, which more than one part may have: ClickHouse cuts an
// hour of half hours' shift in two, the calendar does not. What does not add up is as the
// last part has it.
func (f *measured) add(at cell, values Values) {
	sums, ok := f.cells[at]
	if !ok {
		sums = f.nothing()
		f.cells[at] = sums
	}
	for i, value := range values {
		switch {
		case value == nil:
		case f.Measures[i].adds():
			*sums[i] += *value
		default:
			sums[i] = value
		}
	}
}

// nothing is 0 of what counts.
func (f *measured) nothing() Values {
	out := make(Values, len(f.Measures))
	for i, m := range f.Measures {
		if m.adds() {
			out[i] = new(int64)
		}
	}
	return out
}

func (f *measured) at(place, interval int) Values {
	if values, ok := f.cells[cell{place, interval}]; ok {
		return values
	}
	return f.nothing()
}

func (f *measured) points(place int) []Values {
	out := make([]Values, len(f.calendar.starts))
	for i := range out {
		out[i] = f.at(place, i)
	}
	return out
}

func (m *MetricsResult) assemble(groups [][]string, now, before *measured) {
	m.Total = series(nil, whole, now, before)
	for i, group := range groups {
		m.Series = append(m.Series, series(group, i+1, now, before))
	}
	if _, ok := now.cells[cell{0, whole}]; ok && len(groups) > 0 {
		m.Other = series(nil, 0, now, before)
	}
}

func series(group []string, place int, now, before *measured) *Series {
	s := &Series{Group: withoutNil(group), Totals: now.at(place, whole), Points: now.points(place)}
	if before != nil {
		s.Previous, s.PreviousPoints = before.at(place, whole), before.points(place)
	}
	if all := now.at(whole, whole)[0]; now.Measures[0].adds() && all != nil && *all > 0 {
		part := int32(float64(*s.Totals[0]) / float64(*all) * 1e6)
		s.PartOfAll = &part
	}
	return s
}

// withoutNil says nothing where an id is of nobody.
func withoutNil(group []string) []string {
	for i, text := range group {
		if text == uuid.Nil.String() {
			group[i] = ""
		}
	}
	return group
}
