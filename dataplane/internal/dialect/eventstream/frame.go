package eventstream

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/weirhq/weir/dataplane/internal/dialect/sse"
)

// parse takes a frame of the right length apart.
func (r *Reader) parse(raw []byte) (sse.Event, error) {
	body := len(raw) - 4
	if crc32.ChecksumIEEE(raw[:body]) != binary.BigEndian.Uint32(raw[body:]) {
		return sse.Event{}, fmt.Errorf("%w: its checksum does not match", ErrDamaged)
	}
	payload := preludeSize + int(binary.BigEndian.Uint32(raw[4:]))
	told, err := readHeaders(raw[preludeSize:payload])
	if err != nil {
		return sse.Event{}, err
	}
	event := sse.Event{Raw: raw, Type: told.event, Data: raw[payload:body]}
	switch string(told.message) {
	case "exception":
		event.Type = r.failed(told.exception)
	case "error":
		event.Type, event.Data = r.failed(told.code), told.text
	}
	return event, nil
}

func (r *Reader) failed(name []byte) []byte {
	r.kind = append(append(r.kind[:0], Failed...), name...)
	return r.kind
}

// headers are those that say what a frame is.
type headers struct{ message, event, exception, code, text []byte }

// Kinds of values.
const (
	kindTrue = iota
	kindFalse
	kindByte
	kindShort
	kindInteger
	kindLong
	kindBytes
	kindString
	kindTimestamp
	kindUUID
)

// sizes of values that have no length of their own.
var sizes = [...]int{kindTrue: 0, kindFalse: 0, kindByte: 1, kindShort: 2, kindInteger: 4, kindLong: 8, kindTimestamp: 8, kindUUID: 16}

func readHeaders(b []byte) (headers, error) {
	var told headers
	for len(b) > 0 {
		name, kind, value, rest := header(b)
		if rest == nil {
			return headers{}, fmt.Errorf("%w: its headers can't be read", ErrDamaged)
		}
		if kind == kindString {
			told.tell(name, value)
		}
		b = rest
	}
	return told, nil
}

// header takes the first one off; rest is nil where there is none that is whole.
func header(b []byte) (name []byte, kind byte, value, rest []byte) {
	name, rest = take(b[1:], int(b[0]))
	if len(name) == 0 || len(rest) == 0 {
		return nil, 0, nil, nil
	}
	kind, rest = rest[0], rest[1:]
	var size int
	switch {
	case kind == kindBytes || kind == kindString:
		length, after := take(rest, 2)
		if length == nil {
			return nil, 0, nil, nil
		}
		size, rest = int(binary.BigEndian.Uint16(length)), after
	case int(kind) < len(sizes):
		size = sizes[kind]
	default:
		return nil, 0, nil, nil
	}
	value, rest = take(rest, size)
	return name, kind, value, rest
}

// take divides b; both parts are nil where it is too short.
func take(b []byte, size int) (taken, rest []byte) {
	if len(b) < size {
		return nil, nil
	}
	return b[:size:size], b[size:]
}

func (h *headers) tell(name, value []byte) {
	switch string(name) {
	case ":message-type":
		h.message = value
	case ":event-type":
		h.event = value
	case ":exception-type":
		h.exception = value
	case ":error-code":
		h.code = value
	case ":error-message":
		h.text = value
	}
}
