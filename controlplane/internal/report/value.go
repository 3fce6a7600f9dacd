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

// fromRow turns scanned targets into JSON's values and estimates their length. Times are
// said in a time zone; nil: in the column's own.
func fromRow(targets []any, shapes []shape, in *time.Location) (row []any, bytes int) {
	row = make([]any, len(targets))
	for i, target := range targets {
		row[i] = writing{shapes[i], in}.toJSON(reflect.ValueOf(target).Elem())
		bytes += length(row[i])
	}
	return row, bytes
}

// writing is how values of a shape are said.
type writing struct {
	shape
	in *time.Location
}

func (w writing) of(s shape) writing { return writing{s, w.in} }

// time: days have none, and no time zone.
func (w writing) time(t time.Time) string {
	if w.isDay() {
		return t.Format(time.DateOnly)
	}
	if w.in != nil {
		t = t.In(w.in)
	}
	return t.Format(time.RFC3339Nano)
}

func (w writing) toJSON(v reflect.Value) any {
	if !v.IsValid() {
		return nil
	}
	if known, ok := w.wellKnown(v); ok {
		return known
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return w.toJSON(v.Elem())
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
	case reflect.Float32:
		return number(shortest(float32(v.Float())))
	case reflect.Float64:
		return number(v.Float())
	case reflect.String:
		return strings.ToValidUTF8(v.String(), "\uFFFD")
	case reflect.Slice, reflect.Array:
		return w.list(v)
	case reflect.Map:
		return w.object(v)
	}
	return strings.ToValidUTF8(fmt.Sprint(v.Interface()), "\uFFFD")
}

func (w writing) list(v reflect.Value) any {
	if w.nullable && v.Kind() == reflect.Slice && v.IsNil() {
		return nil
	}
	out := make([]any, v.Len())
	for i := range out {
		out[i] = w.of(w.at(i)).toJSON(v.Index(i))
	}
	return out
}

func (w writing) object(v reflect.Value) any {
	if w.nullable && v.IsNil() {
		return nil
	}
	out := make(map[string]any, v.Len())
	for entries := v.MapRange(); entries.Next(); {
		key := fmt.Sprint(w.of(w.key()).toJSON(entries.Key()))
		out[key] = w.of(w.value(key)).toJSON(entries.Value())
	}
	return out
}

// wellKnown handles the driver's own types. Nil pointers are not among them.
func (w writing) wellKnown(v reflect.Value) (any, bool) {
	switch t := v.Interface().(type) {
	case time.Time:
		return w.time(t), true
	case time.Duration:
		return clock(t), true
	case decimal.Decimal:
		return t.String(), true
	case uuid.UUID:
		return t.String(), true
	case big.Int:
		return t.String(), true
	case chcol.Variant:
		return w.of(shapeOf(t.Type())).toJSON(reflect.ValueOf(t.Any())), true
	case chcol.JSON:
		return w.of(shape{}).toJSON(reflect.ValueOf(t.NestedMap())), true
	case fmt.Stringer:
		if v.Kind() == reflect.Slice { // addresses
			return t.String(), true
		}
	}
	return nil, false
}

// clock is a Time or Time64 as the server says it: 10:00:00.5, and beyond a day 25:00:00.
func clock(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	whole := fmt.Sprintf("%s%02d:%02d:%02d", sign, int64(d.Hours()), int64(d.Minutes())%60, int64(d.Seconds())%60)
	if rest := d % time.Second; rest != 0 {
		whole += strings.TrimRight(fmt.Sprintf(".%09d", rest), "0")
	}
	return whole
}

// shortest is the double with the fewest digits that are the same single.
func shortest(f float32) float64 {
	d, err := strconv.ParseFloat(strconv.FormatFloat(float64(f), 'g', -1, 32), 64)
	if err != nil {
		return float64(f)
	}
	return d
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
