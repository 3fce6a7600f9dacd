package report

import (
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// Query is one SELECT of a caller over the public views.
type Query struct {
	SQL string
	// Parameters of the text by name: {name:Type}. Values are those of JSON: nil, bool,
	// float64, string, []any, map[string]any.
	Parameters map[string]any
	// TimeZone is an IANA name; empty: UTC, and times come in their columns' own.
	TimeZone string
}

// zoneParameter is the time zone's name in every text that does not give it itself.
const zoneParameter = "time_zone"

// Validate returns a fault for the caller.
func (q Query) Validate() error {
	if err := Check(q.SQL); err != nil {
		return err
	}
	if _, err := loadZone(q.TimeZone); err != nil {
		return err
	}
	_, err := q.values()
	return err
}

// location is nil where times come in their columns' own.
func (q Query) location() *time.Location {
	if q.TimeZone == "" {
		return nil
	}
	location, err := loadZone(q.TimeZone)
	if err != nil {
		return nil
	}
	return location
}

// values are the parameters as the driver takes them.
func (q Query) values() (clickhouse.Parameters, error) {
	out := clickhouse.Parameters{zoneParameter: zoneOr(q.TimeZone)}
	for name, value := range q.Parameters {
		text, err := literal(value)
		if err != nil {
			return nil, fault.Field("parameters", "%s: %s", name, err)
		}
		out[name] = text
	}
	return out, nil
}

// loadZone takes the names of the IANA database alone: they reach the server as the value
// of a setting, never as text of a statement.
func loadZone(name string) (*time.Location, error) {
	location, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fault.Field("time_zone", "is no IANA time zone, like Europe/Berlin")
	}
	return location, nil
}

func zoneOr(name string) string {
	if name == "" {
		return "UTC"
	}
	return name
}
