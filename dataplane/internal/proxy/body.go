package proxy

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// maxPooled is the largest buffer worth keeping: larger ones are rare and would
// stay.
const maxPooled = 1 << 20

// buffers are for bodies, spaces for small ones and for the events of streams, of which thousands
// may be open for long: as large as what the transport reads at once.
var (
	buffers = sync.Pool{New: func() any { return &buffer{bytes: make([]byte, 0, bufferSize)} }}
	spaces  = sync.Pool{New: func() any { return &buffer{bytes: make([]byte, 0, spaceSize)} }}
)

const (
	bufferSize = 16 << 10
	spaceSize  = 4 << 10
)

// buffer is pooled memory with a count of its users: a transport may read a
// request's body after RoundTrip returned.
type buffer struct {
	bytes []byte
	users atomic.Int32
}

// takeBuffer has room for size bytes; 0: it is not known what comes.
func takeBuffer(size int64) *buffer {
	if 0 < size && size <= spaceSize {
		return takeSpace()
	}
	b := takeFrom(&buffers)
	if int64(cap(b.bytes)) < size {
		b.bytes = make([]byte, 0, size)
	}
	return b
}

// takeSpace is small, and grows.
func takeSpace() *buffer { return takeFrom(&spaces) }

func takeFrom(pool *sync.Pool) *buffer {
	b := pool.Get().(*buffer)
	b.bytes = b.bytes[:0]
	b.users.Store(1)
	return b
}

func (b *buffer) release() {
	switch {
	case b.users.Add(-1) > 0 || cap(b.bytes) > maxPooled:
	case cap(b.bytes) < bufferSize:
		spaces.Put(b)
	default:
		buffers.Put(b)
	}
}

// fill reads to the end, at most limit bytes: beyond them it returns errTooLarge.
func (b *buffer) fill(source io.Reader, limit int64) error {
	for {
		if len(b.bytes) == cap(b.bytes) {
			b.bytes = append(b.bytes, 0)[:len(b.bytes)]
		}
		n, err := source.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		switch {
		case int64(len(b.bytes)) > limit:
			return errTooLarge
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

var errTooLarge = errors.New("larger than the limit")

// readBody reads a request whole. Its errors are *http.MaxBytesError and those of
// the connection, os.ErrDeadlineExceeded where the caller was too slow.
func readBody(w *caller, r *http.Request, limit int64) (*buffer, error) {
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close")
		return nil, &http.MaxBytesError{Limit: limit}
	}
	// One byte more than the body: the read that finds its end needs room.
	b := takeBuffer(r.ContentLength + 1)
	w.body = http.MaxBytesReader(w.ResponseWriter, r.Body, limit)
	if err := b.fill(w, limit); err != nil {
		b.release()
		return nil, err
	}
	return b, nil
}

// parts is a request's body for the transport: pieces of a buffer and what is
// put between them. It may be closed while it is read.
type parts struct {
	mu      sync.Mutex
	owner   *buffer
	left    [][]byte
	closed  bool
	reached *reach
}

// reach is whether something of a body may have reached the upstream.
type reach struct{ state atomic.Int32 }

const (
	bodyTaken  = 1
	bodySealed = 2
)

// take is told at each read; false: nothing may go out any more.
func (r *reach) take() bool {
	return r.state.CompareAndSwap(0, bodyTaken) || r.state.Load() == bodyTaken
}

// forget takes back that something was taken: nothing of it was written.
func (r *reach) forget() { r.state.CompareAndSwap(bodyTaken, 0) }

// seal keeps a body back of which nothing was taken so far, and tells whether that is so.
func (r *reach) seal() bool {
	return r.state.CompareAndSwap(0, bodySealed) || r.state.Load() == bodySealed
}

func newParts(owner *buffer, pieces [][]byte, reached *reach) *parts {
	owner.users.Add(1)
	return &parts{owner: owner, left: pieces, reached: reached}
}

func (p *parts) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || !p.reached.take() {
		return 0, http.ErrBodyReadAfterClose
	}
	read := 0
	for len(p.left) > 0 && read < len(b) {
		n := copy(b[read:], p.left[0])
		read += n
		if n < len(p.left[0]) {
			p.left[0] = p.left[0][n:]
			break
		}
		p.left = p.left[1:]
	}
	if read == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	return read, nil
}

func (p *parts) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.closed = true
		p.left = nil
		p.owner.release()
	}
	return nil
}
