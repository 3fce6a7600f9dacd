package sse

import "bytes"

var byteOrderMark = []byte("\xef\xbb\xbf")

// lineEnd finds where the first line of b ends and the next begins. next is 0
// where the end is not there, or not certain: a final CR may be half of CR LF
// unless nothing more comes.
func lineEnd(b []byte, last bool) (at, next int) {
	at = bytes.IndexByte(b, '\n')
	before := b
	if at >= 0 {
		before = b[:at]
	}
	cr := bytes.IndexByte(before, '\r')
	switch {
	case cr < 0 && at < 0:
		return 0, 0
	case cr < 0:
		return at, at + 1
	case cr+1 < len(b) && b[cr+1] == '\n':
		return cr, cr + 2
	case cr+1 < len(b) || last:
		return cr, cr + 1
	}
	return 0, 0
}

// heldBack is how much of b's end can't be judged before the next byte.
func heldBack(b []byte) int {
	if len(b) > 0 && b[len(b)-1] == '\r' {
		return 1
	}
	return 0
}

func (r *Reader) parse(raw []byte) Event {
	event := Event{Raw: raw}
	lines := raw
	if !r.begun {
		r.begun = true
		lines = bytes.TrimPrefix(lines, byteOrderMark)
	}
	count := 0
	for len(lines) > 0 {
		at, next := lineEnd(lines, true)
		if next == 0 {
			at, next = len(lines), len(lines)
		}
		name, value, _ := bytes.Cut(lines[:at], []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "data":
			event.Data = r.join(event.Data, value, count)
			count++
		case "event":
			event.Type = value
		}
		lines = lines[next:]
	}
	return event
}

func (r *Reader) join(data, value []byte, count int) []byte {
	if count == 0 {
		return value
	}
	if count == 1 {
		r.joined = append(r.joined[:0], data...)
	}
	r.joined = append(append(r.joined, '\n'), value...)
	return r.joined
}
