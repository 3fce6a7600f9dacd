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

// writing is how the times of a column are said.
type writing struct {
	layout string
	// in is nil where they come in the column's own time zone.
	in *time.Location
}

// fromRow turns scanned targets into JSON's values and estimates their length.
func fromRow(targets []any, columns []Column, in *time.Location) (row []any, bytes int) {
	row = make([]any, len(targets))
	for i, target := range targets {
		row[i] = toJSON(reflect.ValueOf(target).Elem(), writingOf(columns[i].Type, in))
		bytes += length(row[i])
	}
	return row, bytes
}

// writingOf a column: days have no time, and no time zone.
func writingOf(columnType string, in *time.Location) writing {
	if strings.Contains(columnType, "Date") && !strings.Contains(columnType, "DateTime") {
		return writing{layout: time.DateOnly}
	}
	return writing{layout: time.RFC3339Nano, in: in}
}

func (w writing) time(t time.Time) string {
	if w.in != nil {
		t = t.In(w.in)
	}
	return t.Format(w.layout)
}

func toJSON(v reflect.Value, w writing) any {
	if !v.IsValid() {
		return nil
	}
	if known, ok := wellKnown(v, w); ok {
		return known
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return toJSON(v.Elem(), w)
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
			out[i] = toJSON(v.Index(i), w)
		}
		return out
	case reflect.Map:
		out := make(map[string]any, v.Len())
		for entries := v.MapRange(); entries.Next(); {
			key := fmt.Sprint(toJSON(entries.Key(), w))
			out[key] = toJSON(entries.Value(), w)
		}
		return out
	}
	return strings.ToValidUTF8(fmt.Sprint(v.Interface()), "\uFFFD")
}

// wellKnown handles the driver's own types. Nil pointers are not among them.
func wellKnown(v reflect.Value, w writing) (any, bool) {
	switch t := v.Interface().(type) {
	case time.Time:
		return w.time(t), true
	case decimal.Decimal:
		return t.String(), true
	case uuid.UUID:
		return t.String(), true
	case big.Int:
		return t.String(), true
	case chcol.Variant:
		return toJSON(reflect.ValueOf(t.Any()), w), true
	case chcol.JSON:
		return toJSON(reflect.ValueOf(t.NestedMap()), w), true
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
