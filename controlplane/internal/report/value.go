package report

import (
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/chcol"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"
)

// fromRow turns scanned targets into JSON's values and estimates their length.
func fromRow(targets []any, columns []Column) (row []any, bytes int) {
	row = make([]any, len(targets))
	for i, target := range targets {
		row[i] = toJSON(reflect.ValueOf(target).Elem(), timeLayout(columns[i].Type))
		bytes += length(row[i])
	}
	return row, bytes
}

// timeLayout of a column: days have no time.
func timeLayout(columnType string) string {
	if strings.Contains(columnType, "Date") && !strings.Contains(columnType, "DateTime") {
		return time.DateOnly
	}
	return time.RFC3339Nano
}

func toJSON(v reflect.Value, layout string) any {
	if !v.IsValid() {
		return nil
	}
	if known, ok := wellKnown(v, layout); ok {
		return known
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return toJSON(v.Elem(), layout)
	case reflect.Bool:
		return v.Bool()
	case reflect.Int8, reflect.Int16, reflect.Int32:
		return float64(v.Int())
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return float64(v.Uint())
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Uint, reflect.Uint64:
		return strconv.FormatUint(v.Uint(), 10)
	case reflect.Float32, reflect.Float64:
		return number(v.Float())
	case reflect.String:
		return strings.ToValidUTF8(v.String(), "\uFFFD")
	case reflect.Slice, reflect.Array:
		out := make([]any, v.Len())
		for i := range out {
			out[i] = toJSON(v.Index(i), layout)
		}
		return out
	case reflect.Map:
		out := make(map[string]any, v.Len())
		for entries := v.MapRange(); entries.Next(); {
			key := fmt.Sprint(toJSON(entries.Key(), layout))
			out[key] = toJSON(entries.Value(), layout)
		}
		return out
	}
	return strings.ToValidUTF8(fmt.Sprint(v.Interface()), "\uFFFD")
}

// wellKnown handles the driver's own types. Nil pointers are not among them.
func wellKnown(v reflect.Value, layout string) (any, bool) {
	switch t := v.Interface().(type) {
	case time.Time:
		return t.Format(layout), true
	case decimal.Decimal:
		return t.String(), true
	case uuid.UUID:
		return t.String(), true
	case big.Int:
		return t.String(), true
	case chcol.Variant:
		return toJSON(reflect.ValueOf(t.Any()), layout), true
	case chcol.JSON:
		return toJSON(reflect.ValueOf(t.NestedMap()), layout), true
	case fmt.Stringer:
		if v.Kind() == reflect.Slice { // addresses
			return t.String(), true
		}
	}
	return nil, false
}

// number: JSON has no infinities.
func number(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(f, 'g', -1, 64), "+"))
	}
	return f
}

// length of a value as JSON, about.
func length(v any) int {
	switch t := v.(type) {
	case string:
		return len(t) + 3
	case []any:
		sum := 3
		for _, e := range t {
			sum += length(e)
		}
		return sum
	case map[string]any:
		sum := 3
		for k, e := range t {
			sum += len(k) + 4 + length(e)
		}
		return sum
	}
	return 8
}
