package gemini

import (
	"bytes"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/sse"
)

// A stream without alt=sse is one JSON array.
const (
	arrayBegin = "["
	arrayNext  = ",\r\n"
	arrayEnd   = "]"
)

// Array makes a stream of events the array that it would be, its chunks unchanged.
type Array struct{ begun, inside bool }

// Element appends an event; one without data is nothing. Not ok: a piece does not begin as
// an event does that has data alone.
func (a *Array) Element(dst []byte, e sse.Event) (array []byte, ok bool) {
	data := e.Data
	if e.Piece {
		data = e.Raw
		if !a.inside {
			if data, ok = bytes.CutPrefix(data, []byte("data:")); !ok {
				return dst, false
			}
			dst = a.next(dst)
		}
		a.inside = e.Open
		return append(dst, data...), true // with the event's last line breaks, which are white space here
	}
	if len(data) == 0 {
		return dst, true
	}
	return append(a.next(dst), data...), true
}

func (a *Array) next(dst []byte) []byte {
	if a.begun {
		return append(dst, arrayNext...)
	}
	a.begun = true
	return append(dst, arrayBegin...)
}

// End appends what ends the array.
func (a *Array) End(dst []byte) []byte {
	if !a.begun {
		dst = append(dst, arrayBegin...)
	}
	return append(dst, arrayEnd...)
}

// LastElement is a refusal that ends an array; begun: something of it was sent.
func LastElement(r *dialect.Refusal, begun bool) []byte {
	a := Array{begun: begun}
	return a.End(append(a.next(nil), fromRefusal(r).json()...))
}
