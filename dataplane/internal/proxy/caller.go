package proxy

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"time"
)

const (
	// slowestBody is what a caller must send on average, bytes per second, beyond
	// the first BodyTimeout: a byte now and then keeps no request open.
	slowestBody = 16 << 10
	// writeSlice is what a caller must take within one WriteTimeout.
	writeSlice = 64 << 10
)

// caller is the other end of an exchange. Deadlines on its connection, moved on as
// bytes pass, keep a slow or silent one from holding a goroutine, memory and an
// upstream stream for ever. A ResponseWriter that knows no deadlines has none.
type caller struct {
	http.ResponseWriter
	connection *http.ResponseController
	config     *Config
	writeBegun time.Time // when the deadline for writes was last moved

	aborted bool
	ending  bool // what is written goes out with the end of the answer

	body      io.Reader
	bodyBegun time.Time // zero: there is none, or it is read
	received  int64

	written int64         // bytes of the answer's body
	writing time.Duration // that the caller took to take them
}

func (c *caller) took(bytes int, begun time.Time) {
	c.written += int64(bytes)
	c.writing += time.Since(begun)
}

func newCaller(w http.ResponseWriter, r *http.Request, config *Config) caller {
	c := caller{ResponseWriter: w, connection: http.NewResponseController(w), config: config}
	now := time.Now()
	if r.ContentLength != 0 {
		c.bodyBegun = now
		c.expectBody(now)
	}
	c.expectTaking(now) // the last request's deadline still stands
	return c
}

// Read reads the request's body.
func (c *caller) Read(b []byte) (int, error) {
	n, err := c.body.Read(b)
	c.received += int64(n)
	switch {
	case err == nil:
		c.expectBody(time.Now())
	case errors.Is(err, io.EOF):
		// net/http clears the deadline itself and reads on, to see the caller leave.
		c.bodyBegun, c.writeBegun = time.Time{}, time.Time{}
	}
	return n, err
}

func (c *caller) expectBody(now time.Time) {
	earned := time.Duration(c.received) * time.Second / slowestBody
	end := c.bodyBegun.Add(c.config.BodyTimeout + earned)
	if next := now.Add(c.config.BodyTimeout); next.Before(end) {
		end = next
	}
	_ = c.connection.SetReadDeadline(end)
}

func (c *caller) Write(b []byte) (written int, err error) {
	begun := time.Now()
	defer func() { c.took(written, begun) }()
	for part := range slices.Chunk(b, writeSlice) {
		c.expectTaking(time.Now())
		n, err := c.ResponseWriter.Write(part)
		written += n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// abort closes the connection, or resets the stream, so that what was sent is no whole
// answer: what is not sent by now never is.
func (c *caller) abort() {
	c.aborted = true
	_ = c.connection.SetWriteDeadline(time.Unix(1, 0))
}

func (c *caller) flush() error {
	if c.aborted {
		return http.ErrAbortHandler
	}
	begun := time.Now()
	defer c.took(0, begun)
	c.expectTaking(begun)
	return c.connection.Flush()
}

// expectTaking moves the deadline when a quarter of it is over, not for each event;
// so that the caller has the whole of it always, it is set a quarter later.
func (c *caller) expectTaking(now time.Time) {
	if now.Sub(c.writeBegun) <= c.config.WriteTimeout/4 {
		return
	}
	c.writeBegun = now
	end := now.Add(c.config.WriteTimeout + c.config.WriteTimeout/4)
	if !c.bodyBegun.IsZero() {
		end = end.Add(c.config.BodyTimeout) // net/http reads what is left of a body before it answers
	}
	_ = c.connection.SetWriteDeadline(end)
}
