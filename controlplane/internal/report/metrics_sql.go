package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/weirhq/weir/controlplane/internal/filter"
)

// metricsQuery is one statement of metrics, with its parameters.
type metricsQuery struct {
	Metrics
	// time and rank are what it groups by: the interval, and the place among the top groups,
	// 0 for all others.
	time, rank bool
}

// TopSQL asks for the groups with most of the first measure.
func (m Metrics) TopSQL() (string, clickhouse.Parameters) {
	where, parameters := m.where()
	names := make([]string, len(m.GroupBy))
	for i := range names {
		names[i] = fmt.Sprintf("d%d", i)
	}
	dimensions := m.dimensions()
	for i := range dimensions {
		dimensions[i] += " AS " + names[i]
	}
	parameters["top"] = strconv.Itoa(m.Top)
	return "SELECT\n  " + strings.Join(dimensions, ",\n  ") + ",\n  " + m.Measures[0].column() + " AS most\nFROM requests\nWHERE " + where +
		"\nGROUP BY " + strings.Join(names, ", ") + "\nORDER BY most DESC NULLS LAST, " + strings.Join(names, ", ") + "\nLIMIT {top:UInt16}", parameters
}

// SQL asks for the measures of each group.
func (q metricsQuery) SQL() (string, clickhouse.Parameters) {
	where, parameters := q.where()
	var columns, by []string
	if q.time {
		columns, by = append(columns, q.bucket()+" AS bucket"), append(by, "bucket")
	}
	if q.rank {
		columns, by = append(columns, "toInt64(indexOf({groups:Array(Array(String))}, ["+strings.Join(q.dimensions(), ", ")+"])) AS place"), append(by, "place")
	}
	for _, m := range q.Measures {
		columns = append(columns, m.column())
	}
	sql := "SELECT\n  " + strings.Join(columns, ",\n  ") + "\nFROM requests\nWHERE " + where
	if len(by) > 0 {
		sql += "\nGROUP BY " + strings.Join(by, ", ")
	}
	return sql, parameters
}

// column is NULL where quantiles have nothing to tell by.
func (m Measure) column() string {
	if m.adds() {
		return "toNullable(toInt64(" + measureSQL[m] + "))"
	}
	return "accurateCastOrNull(" + measureSQL[m] + ", 'Int64')"
}

// dimensions are expressions of texts.
func (m Metrics) dimensions() []string {
	out := make([]string, len(m.GroupBy))
	for i, name := range m.GroupBy {
		if strings.HasPrefix(name, labelDimension) {
			out[i] = fmt.Sprintf("labels[{label_%d:String}]", i)
		} else {
			out[i] = "CAST(" + dimensionSQL[name] + ", 'String')"
		}
	}
	return out
}

func (m Metrics) where() (string, clickhouse.Parameters) {
	parameters := clickhouse.Parameters{"from": parameterTime(m.From), "to": parameterTime(m.To), zoneParameter: m.TimeZone}
	for i, name := range m.GroupBy {
		if label, ok := strings.CutPrefix(name, labelDimension); ok {
			parameters[fmt.Sprintf("label_%d", i)] = tabSeparated.Replace(label)
		}
	}
	statement := &filter.ClickHouse{}
	condition := m.Filter.SQL(statement)
	addParameters(parameters, statement.Parameters)
	at := m.at()
	return at + " >= {from:DateTime64(6, 'UTC')} AND " + at + " < {to:DateTime64(6, 'UTC')}\n  AND " + condition, parameters
}

// at is the time that requests are cut by: of whole hours where the range and the
// intervals are, which rollups have.
func (m Metrics) at() string {
	if m.Interval >= Hour && m.wholeHours(m.From) && m.wholeHours(m.To) {
		return "hour"
	}
	return "started_at"
}

// wholeHours tells that an hour begins at t, in UTC as in the time zone.
func (m Metrics) wholeHours(t time.Time) bool {
	_, offset := t.In(m.zone).Zone()
	return offset%3600 == 0 && t.Truncate(time.Hour).Equal(t)
}

// bucket is the key of the interval: see calendar.
func (m Metrics) bucket() string {
	switch m.Interval {
	case Minute:
		return "toInt64(toUnixTimestamp(toStartOfMinute(" + m.at() + ")))"
	case Hour:
		return "toInt64(toUnixTimestamp(toStartOfHour(" + m.at() + ", {time_zone:String})))"
	case Week:
		return "toInt64(toMonday(" + m.at() + ", {time_zone:String}))"
	case Month:
		return "toInt64(toStartOfMonth(" + m.at() + ", {time_zone:String}))"
	}
	return "toInt64(toDate(" + m.at() + ", {time_zone:String}))"
}
