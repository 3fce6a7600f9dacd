// Package eventstream splits a stream in AWS's framing, application/vnd.amazon.eventstream,
// into its events, checked but not understood: what an event means is not its matter. The
// Reader has the shape of sse's, and gives the same Event, so that either can be read.
// Format: https://smithy.io/2.0/aws/amazon-eventstream.html
package eventstream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/weirhq/weir/dataplane/internal/dialect/sse"
)

// ContentType of an answer that is a stream of events.
const ContentType = "application/vnd.amazon.eventstream"

// Failed begins the type of an exception or error, whose name in AWS's model follows:
// "!throttlingException". No event's name begins so.
const Failed = "!"

var (
	// ErrDamaged: a checksum does not match, or a length can't be.
	ErrDamaged = errors.New("damaged event")
	// ErrTooLarge: an event has more bytes than are held.
	ErrTooLarge = errors.New("event is too large")
)

const (
	preludeSize = 12
	frameSize   = preludeSize + 4 // of an event without headers and payload
	maxHeaders  = 128 << 10
	readSize    = 16 << 10
	minLimit    = 1 << 10
)

// Reader reads events. It holds at most one, and one read.
type Reader struct {
	source io.Reader
	limit  int
	// err is of the source, broken of an event: nothing can be read behind it.
	err, broken error
	// buf[from:] was read and not given out; size is how long the event is that begins
	// there; 0: not known yet.
	buf        []byte
	from, size int
	kind       []byte // of an event that failed
}

// NewReader reads source into space, whose capacity is used first. An event of more than
// limit bytes (at least 1 KiB) is ErrTooLarge: its checksum stands at its end.
func NewReader(source io.Reader, space []byte, limit int) *Reader {
	return &Reader{source: source, buf: space[:0], limit: max(limit, minLimit)}
}

// Space is the buffer, for the next reader to use.
func (r *Reader) Space() []byte { return r.buf[:0] }

// Next returns the next event, whose slices are valid until it is called again. Its Type
// is the header :event-type; for an exception it is Failed with the :exception-type, for
// an error Failed with the :error-code, and the error's message is the Data. After the
// last event it returns the error of the source, which is io.ErrUnexpectedEOF where that
// ended inside of an event.
func (r *Reader) Next() (sse.Event, error) {
	for !r.Buffered() {
		if r.err != nil {
			return sse.Event{}, r.end()
		}
		r.fill()
	}
	if r.broken != nil {
		return sse.Event{}, r.broken
	}
	raw := r.buf[r.from : r.from+r.size]
	event, err := r.parse(raw)
	if err != nil {
		r.broken = err
		return sse.Event{}, err
	}
	r.from, r.size = r.from+r.size, 0
	return event, nil
}

// Buffered tells whether Next will not wait for the source: a whole event is there, or
// the beginning of one that can't be read.
func (r *Reader) Buffered() bool {
	held := r.buf[r.from:]
	if r.size == 0 && r.broken == nil && len(held) >= preludeSize {
		r.size, r.broken = r.measure(held)
	}
	return r.broken != nil || r.size > 0 && len(held) >= r.size
}

// Torn tells whether the stream ended inside of an event.
func (r *Reader) Torn() bool { return r.err != nil && r.broken == nil && len(r.buf) > r.from }

func (r *Reader) end() error {
	if errors.Is(r.err, io.EOF) && r.Torn() {
		return io.ErrUnexpectedEOF
	}
	return r.err
}

// measure reads how long an event is from its beginning.
func (r *Reader) measure(prelude []byte) (int, error) {
	if crc32.ChecksumIEEE(prelude[:8]) != binary.BigEndian.Uint32(prelude[8:]) {
		return 0, fmt.Errorf("%w: the checksum of its lengths does not match", ErrDamaged)
	}
	size, headers := int64(binary.BigEndian.Uint32(prelude)), int64(binary.BigEndian.Uint32(prelude[4:]))
	switch {
	case size < frameSize || headers > size-frameSize || headers > maxHeaders:
		return 0, fmt.Errorf("%w: its lengths can't be", ErrDamaged)
	case size > int64(r.limit):
		return 0, fmt.Errorf("%w: %d bytes, and %d are held", ErrTooLarge, size, r.limit)
	}
	return int(size), nil
}

// fill reads once, after making room.
func (r *Reader) fill() {
	if cap(r.buf)-len(r.buf) < readSize/4 && r.from > 0 {
		r.buf = r.buf[:copy(r.buf, r.buf[r.from:])]
		r.from = 0
	}
	if cap(r.buf)-len(r.buf) < readSize/4 {
		larger := make([]byte, len(r.buf), 2*cap(r.buf)+readSize)
		copy(larger, r.buf)
		r.buf = larger
	}
	n, err := r.source.Read(r.buf[len(r.buf):cap(r.buf)])
	r.buf, r.err = r.buf[:len(r.buf)+n], err
}
