// Package sse splits a stream of server-sent events without changing it: the raw
// bytes of its events, put together, are the stream. What an event means is not
// its matter. Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
package sse

import (
	"errors"
	"io"
)

// Event is one event. Its slices are valid until the next call of Next.
type Event struct {
	// Raw is the event as it came, with the blank line that ends it.
	Raw []byte
	// Data is the content of its data lines, joined by newlines. Empty where there
	// is none, and in pieces.
	Data []byte
	// Type is the content of its event line.
	Type []byte
	// Piece: the event is too large to be held; it comes in pieces that are not
	// parsed. Open: this is not the last one.
	Piece, Open bool
}

const (
	readSize = 16 << 10
	minLimit = 1 << 10
)

// Reader reads events. It holds at most one event, or limit bytes of it, and one
// read.
type Reader struct {
	source io.Reader
	limit  int
	err    error
	// buf[from:] was read and not given out. line is where its first unfinished
	// line begins, searched how far that was looked through, end where the event
	// ends; 0: not found yet.
	buf                       []byte
	from, line, searched, end int
	// cut: pieces of this event were given out. midLine: the last of them ended
	// inside of a line.
	cut, midLine bool
	begun        bool
	joined       []byte // data of an event with more than one data line
}

// NewReader reads source into space, whose capacity is used first. An event that
// is not whole when limit bytes of it are there (at least 1 KiB) comes in pieces.
func NewReader(source io.Reader, space []byte, limit int) *Reader {
	return &Reader{source: source, buf: space[:0], limit: max(limit, minLimit)}
}

// Space is the buffer, for the next reader to use.
func (r *Reader) Space() []byte { return r.buf[:0] }

// Next returns the next event. After the last one it returns the error of the
// source; when that is io.EOF, an event whose blank line is missing comes first,
// else it is left out.
func (r *Reader) Next() (Event, error) {
	for !r.Buffered() {
		if r.err != nil {
			return r.rest()
		}
		if r.searched-r.from >= r.limit {
			return r.piece(), nil
		}
		r.fill()
	}
	return r.event(), nil
}

// Buffered tells whether a whole event is there already, so that Next will not
// wait for the source.
func (r *Reader) Buffered() bool {
	for r.end == 0 {
		at, next := lineEnd(r.buf[r.searched:], r.err != nil)
		if next == 0 {
			r.searched = len(r.buf) - heldBack(r.buf[r.searched:])
			return false
		}
		at, next = at+r.searched, next+r.searched
		if at == r.line && !r.midLine {
			r.end = next
		}
		r.line, r.searched, r.midLine = next, next, false
	}
	return true
}

// Torn tells whether the stream ended inside of an event of which pieces were
// given out.
func (r *Reader) Torn() bool { return r.cut }

func (r *Reader) event() Event {
	raw := r.buf[r.from:r.end]
	r.from, r.end = r.end, 0
	if r.cut {
		r.cut = false
		return Event{Raw: raw, Piece: true}
	}
	return r.parse(raw)
}

func (r *Reader) piece() Event {
	raw := r.buf[r.from:r.searched]
	r.midLine = r.midLine || r.searched > r.line
	r.from, r.line, r.cut = r.searched, r.searched, true
	return Event{Raw: raw, Piece: true, Open: true}
}

func (r *Reader) rest() (Event, error) {
	raw := r.buf[r.from:]
	if !errors.Is(r.err, io.EOF) || len(raw) == 0 {
		return Event{}, r.err
	}
	r.from, r.line, r.searched = len(r.buf), len(r.buf), len(r.buf)
	if r.cut {
		return Event{Raw: raw, Piece: true, Open: true}, nil
	}
	return r.parse(raw), nil
}

// fill reads once, after making room.
func (r *Reader) fill() {
	if cap(r.buf)-len(r.buf) < readSize/4 && r.from > 0 {
		kept := copy(r.buf, r.buf[r.from:])
		r.buf = r.buf[:kept]
		r.line, r.searched, r.from = r.line-r.from, r.searched-r.from, 0
	}
	if cap(r.buf)-len(r.buf) < readSize/4 {
		larger := make([]byte, len(r.buf), 2*cap(r.buf)+readSize)
		copy(larger, r.buf)
		r.buf = larger
	}
	n, err := r.source.Read(r.buf[len(r.buf):cap(r.buf)])
	r.buf, r.err = r.buf[:len(r.buf)+n], err
}
