package ingest

import (
	"errors"
	"math"

	"github.com/ClickHouse/ch-go/proto"
)

// dictionary is LowCardinality(String) as it is written. A value that is the one before it
// is not looked up: most are.
type dictionary struct {
	index proto.ColStr
	keys  []uint32
	known map[string]uint32

	last    string
	lastKey uint32
}

func newDictionary() *dictionary { return &dictionary{known: map[string]uint32{}} }

var (
	_ proto.ColumnOf[string] = (*dictionary)(nil)
	_ proto.StateEncoder     = (*dictionary)(nil)
)

// Append adds a value.
func (d *dictionary) Append(value string) {
	if len(d.keys) > 0 && value == d.last {
		d.keys = append(d.keys, d.lastKey)
		return
	}
	key, ok := d.known[value]
	if !ok {
		key = uint32(len(d.known))
		d.known[value] = key
		d.index.Append(value)
	}
	d.keys, d.last, d.lastKey = append(d.keys, key), value, key
}

// AppendArr adds values.
func (d *dictionary) AppendArr(values []string) {
	for _, v := range values {
		d.Append(v)
	}
}

// Type of the column.
func (d *dictionary) Type() proto.ColumnType {
	return proto.ColumnTypeLowCardinality.Sub(proto.ColumnTypeString)
}

// Rows counts values.
func (d *dictionary) Rows() int { return len(d.keys) }

// Row is the i-th value.
func (d *dictionary) Row(i int) string { return d.index.Row(int(d.keys[i])) }

// Reset forgets all values.
func (d *dictionary) Reset() { *d = *newDictionary() }

// raw is what goes on the wire, with keys as narrow as they can be.
func (d *dictionary) raw() *proto.ColLowCardinalityRaw {
	out := &proto.ColLowCardinalityRaw{Index: &d.index, Key: proto.KeyUInt32}
	switch n := d.index.Rows(); {
	case n <= math.MaxUint8+1:
		out.Key, out.Keys8 = proto.KeyUInt8, make(proto.ColUInt8, len(d.keys))
		for i, k := range d.keys {
			out.Keys8[i] = uint8(k)
		}
	case n <= math.MaxUint16+1:
		out.Key, out.Keys16 = proto.KeyUInt16, make(proto.ColUInt16, len(d.keys))
		for i, k := range d.keys {
			out.Keys16[i] = uint16(k)
		}
	default:
		out.Keys32 = d.keys
	}
	return out
}

// EncodeState writes the version of the format.
func (d *dictionary) EncodeState(b *proto.Buffer) {
	proto.ColLowCardinalityRaw{Index: &d.index}.EncodeState(b)
}

// EncodeColumn writes all values.
func (d *dictionary) EncodeColumn(b *proto.Buffer) {
	if len(d.keys) > 0 {
		d.raw().EncodeColumn(b)
	}
}

// WriteColumn writes all values.
func (d *dictionary) WriteColumn(w *proto.Writer) { w.ChainBuffer(d.EncodeColumn) }

// DecodeColumn is for readers, which ingest is not.
func (d *dictionary) DecodeColumn(*proto.Reader, int) error { return errors.ErrUnsupported }
