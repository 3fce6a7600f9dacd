package report_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/controlplane/internal/report"
)

func TestShapeOf(t *testing.T) {
	for columnType, want := range map[string]string{
		"DateTime64(6, 'UTC')":                        "DateTime64",
		"LowCardinality(Nullable(String))":            "Nullable String",
		"Array(Tuple(Date, DateTime('UTC')))":         "Array[Tuple[Date DateTime]]",
		"Nullable(Tuple(day Date, usd Decimal(9,2)))": "Nullable Tuple[day:Date usd:Decimal]",
		"Tuple(`the, (day` Date, `a\\`b` Enum8('x, \\'(' = 1, 'y' = 2), c Map(String, Array(Date)))": "Tuple[the, (day:Date a`b:Enum8 c:Map[String Array[Date]]]",
		"Nested(day Date, n UInt8)":              "Nested[day:Date n:UInt8]",
		"SimpleAggregateFunction(anyLast, Date)": "Date",
		"":                                       "", "Tuple()": "Tuple[]", "Array(": "Array[]", "Map(`": "Map[`]", "Tuple(,": "Tuple[ ]",
	} {
		if diff := cmp.Diff(want, report.ShapeOf(columnType)); diff != "" {
			t.Errorf("%s: %s", columnType, diff)
		}
	}
}
