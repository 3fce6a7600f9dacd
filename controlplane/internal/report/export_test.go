package report

import (
	"context"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/google/uuid"
)

// For tests of the server without the guard.
var (
	QueryID = queryID
	Clean   = clean
	Literal = literal
)

// Settings of an answer in one piece.
func Settings(organization uuid.UUID) clickhouse.Settings {
	return settings(organization, "UTC", answerBounds)
}

// ShapeOf a column's type, as a text.
func ShapeOf(columnType string) string { return shapeOf(columnType).text() }

func (s shape) text() string {
	text := map[bool]string{true: "Nullable "}[s.nullable] + s.name
	if len(s.of) == 0 {
		return text
	}
	parts := make([]string, len(s.of))
	for i, of := range s.of {
		if parts[i] = of.text(); i < len(s.fields) {
			parts[i] = s.fields[i] + ":" + parts[i]
		}
	}
	return text + "[" + strings.Join(parts, " ") + "]"
}

// AnswerWithin bounds answers in one piece, in seconds, and returns what bounded them.
func AnswerWithin(seconds int) (was int) {
	was, answerBounds.seconds = answerBounds.seconds, seconds
	return was
}

// Collect reads rows as Run does.
func Collect(rows driver.Rows, cancel context.CancelFunc) (Result, error) {
	return collect(rows, nil, cancel)
}

// MetricsSQL is one statement of metrics.
func MetricsSQL(m Metrics, time, rank bool) string {
	sql, _ := metricsQuery{m, time, rank}.SQL()
	return sql
}

// Starts of intervals.
func Starts(i Interval, from, to time.Time, in *time.Location) []time.Time {
	return newCalendar(i, from, to, in).starts
}
