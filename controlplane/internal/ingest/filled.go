package ingest

import (
	"sync"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/google/uuid"
)

// column is one column of usage_event; make gives it with what fills it from a block.
type column struct {
	name string
	make func() (empty proto.ColInput, fill func(block))
}

// columnSet are the columns of usage_event. What they take is most of a block's memory, and
// growing it was half of the time of an insert: they are used again.
type columnSet struct {
	input proto.Input
	fills []func(block)
}

var columnSets = sync.Pool{New: func() any {
	s := &columnSet{}
	for _, c := range usageColumns {
		data, fill := c.make()
		s.input, s.fills = append(s.input, proto.InputColumn{Name: c.name, Data: data}), append(s.fills, fill)
	}
	return s
}}

func (s *columnSet) fill(b block) proto.Input {
	s.input.Reset()
	for _, fill := range s.fills {
		fill(b)
	}
	return s.input
}

// of makes a column from a function of one row.
func of[T any](name string, empty func() proto.ColumnOf[T], value func(placed) T) column {
	return column{name, func() (proto.ColInput, func(block)) {
		data := empty()
		return data, func(b block) {
			for _, r := range b.rows {
				data.Append(value(r))
			}
		}
	}}
}

// constant makes a column with the same value in all rows of a block.
func constant[T any](name string, empty func() proto.ColumnOf[T], value func(block) T) column {
	return column{name, func() (proto.ColInput, func(block)) {
		data := empty()
		return data, func(b block) {
			same := value(b)
			for range b.rows {
				data.Append(same)
			}
		}
	}}
}

// nested makes an array column from a function of one element of a row's list.
func nested[E, T any](name string, empty func() proto.ColumnOf[T], list func(placed) []E, value func(*E) T) column {
	return column{name, func() (proto.ColInput, func(block)) {
		array := proto.NewArray(empty())
		return array, func(b block) {
			end := uint64(0)
			for _, r := range b.rows {
				elements := list(r)
				for i := range elements {
					array.Data.Append(value(&elements[i]))
				}
				end += uint64(len(elements))
				array.Offsets = append(array.Offsets, end)
			}
		}
	}}
}

// each is nested in attempts.
func each[T any](name string, empty func() proto.ColumnOf[T], value func(*attempt) T) column {
	return nested("attempt."+name, empty, func(r placed) []attempt { return r.attempts }, value)
}

// eachCandidate is nested in candidates.
func eachCandidate(name string, value func(*candidate) string) column {
	return nested("candidate."+name, names, func(r placed) []candidate { return r.candidates }, value)
}

// labelColumn is a map.
func labelColumn() (proto.ColInput, func(block)) {
	data := proto.NewMap(names(), texts())
	return data, func(b block) {
		for _, r := range b.rows {
			for _, l := range r.labels {
				data.Keys.Append(l.name)
				data.Values.Append(l.value)
			}
			data.Offsets = append(data.Offsets, uint64(data.Values.Rows()))
		}
	}
}

func ids() proto.ColumnOf[uuid.UUID]    { return new(proto.ColUUID) }
func longs() proto.ColumnOf[int64]      { return new(proto.ColInt64) }
func ints() proto.ColumnOf[int32]       { return new(proto.ColInt32) }
func statuses() proto.ColumnOf[uint16]  { return new(proto.ColUInt16) }
func flags() proto.ColumnOf[bool]       { return new(proto.ColBool) }
func texts() proto.ColumnOf[string]     { return new(proto.ColStr) }
func names() proto.ColumnOf[string]     { return newDictionary() }
func money() proto.ColumnOf[nano]       { return new(dollars) }
func times() proto.ColumnOf[time.Time]  { return &proto.ColDateTime{Location: time.UTC} }
func micros() proto.ColumnOf[time.Time] { return microseconds() }

func longsOrNull() proto.ColumnOf[proto.Nullable[int64]] { return proto.NewColNullable(longs()) }
func moneyOrNull() proto.ColumnOf[proto.Nullable[nano]]  { return proto.NewColNullable(money()) }

func microseconds() *proto.ColDateTime64 {
	return new(proto.ColDateTime64).WithPrecision(proto.PrecisionMicro).WithLocation(time.UTC)
}

// nano are nano-dollars, as Decimal(18, 9) holds them.
type nano = proto.Decimal64

type dollars struct{ proto.ColDecimal64 }

func (dollars) Type() proto.ColumnType { return "Decimal(18, 9)" }
