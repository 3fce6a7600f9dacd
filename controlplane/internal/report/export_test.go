package report

import (
	"context"
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
