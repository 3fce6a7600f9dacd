package report

import (
	"context"

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
