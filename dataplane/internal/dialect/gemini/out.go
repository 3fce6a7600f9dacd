package gemini

import (
	"strconv"

	"github.com/weirhq/weir/dataplane/internal/dialect/jsonout"
)

// out builds JSON; its commas come by themselves.
type out struct{ b []byte }

func (o *out) comma() {
	if n := len(o.b); n > 0 {
		switch o.b[n-1] {
		case '{', '[', ':':
		default:
			o.b = append(o.b, ',')
		}
	}
}

// begin begins a value that stands alone.
func (o *out) begin(bracket byte) { o.b = append(o.b, bracket) }

// item begins an element of an array.
func (o *out) item(bracket byte) {
	o.comma()
	o.b = append(o.b, bracket)
}

// open begins the value of a field.
func (o *out) open(name string, bracket byte) {
	o.key(name)
	o.b = append(o.b, bracket)
}

func (o *out) end(bracket byte) { o.b = append(o.b, bracket) }

func (o *out) key(name string) {
	o.comma()
	o.b = append(o.b, '"')
	o.b = append(o.b, name...)
	o.b = append(o.b, '"', ':')
}

func (o *out) text(name, value string) {
	o.key(name)
	o.b = jsonout.AppendString(o.b, value)
}

// said writes a text that is not empty.
func (o *out) said(name, value string) {
	if value != "" {
		o.text(name, value)
	}
}

// raw writes JSON as it is; empty: nothing.
func (o *out) raw(name, json string) {
	if json != "" {
		o.key(name)
		o.b = append(o.b, json...)
	}
}

func (o *out) number(name string, value int64) {
	o.key(name)
	o.b = strconv.AppendInt(o.b, value, 10)
}

// counted writes a number that is not 0.
func (o *out) counted(name string, value int64) {
	if value != 0 {
		o.number(name, value)
	}
}
