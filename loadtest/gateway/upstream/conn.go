package upstream

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"strconv"
)

// maxBody bounds what is kept of a request.
const maxBody = 16 << 20

// conn is a client's connection.
type conn struct {
	server *Server
	net    net.Conn
	r      *bufio.Reader
	body   []byte // reused
	out    []byte // reused
}

// request is what an answer depends on.
type request struct {
	method, path string
	authorized   bool
	length       int64 // of the body; -1: chunked
	awaits       bool  // 100 Continue
}

func newConn(s *Server, c net.Conn) *conn {
	return &conn{server: s, net: c, r: bufio.NewReaderSize(c, 4<<10)}
}

func (c *conn) serve() {
	for {
		r, err := c.head()
		if err != nil {
			return
		}
		if r.awaits {
			if _, err := io.WriteString(c.net, "HTTP/1.1 100 Continue\r\n\r\n"); err != nil {
				return
			}
		}
		if err := c.read(r.length); err != nil {
			return
		}
		if err := c.answer(r); err != nil {
			return
		}
	}
}

var bearer = []byte("Bearer " + Key)

func (c *conn) head() (r request, err error) {
	line, err := c.line()
	if err != nil {
		return r, err
	}
	method, rest, _ := bytes.Cut(line, []byte(" "))
	path, _, _ := bytes.Cut(rest, []byte(" "))
	r.method, r.path = string(method), string(path)
	for {
		if line, err = c.line(); err != nil || len(line) == 0 {
			return r, err
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			if r.length, err = strconv.ParseInt(string(value), 10, 64); err != nil {
				return r, err
			}
		case bytes.EqualFold(name, []byte("transfer-encoding")):
			r.length = -1
		case bytes.EqualFold(name, []byte("authorization")):
			r.authorized = bytes.Equal(value, bearer)
		case bytes.EqualFold(name, []byte("expect")):
			r.awaits = true
		}
	}
}

func (c *conn) line() ([]byte, error) {
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

var errLarge = errors.New("the body is too large")

// read takes the body into c.body.
func (c *conn) read(length int64) error {
	c.body = c.body[:0]
	if length >= 0 {
		return c.more(length)
	}
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(line), 16, 64)
		if err != nil {
			return err
		}
		if err := c.more(size); err != nil {
			return err
		}
		for { // trailers, of the last chunk
			if line, err = c.line(); err != nil {
				return err
			}
			if len(line) == 0 {
				break
			}
		}
		if size == 0 {
			return nil
		}
	}
}

func (c *conn) more(size int64) error {
	at := len(c.body)
	if size < 0 || int64(at)+size > maxBody {
		return errLarge
	}
	if need := at + int(size); need > cap(c.body) {
		grown := make([]byte, need)
		copy(grown, c.body)
		c.body = grown
	} else {
		c.body = c.body[:need]
	}
	_, err := io.ReadFull(c.r, c.body[at:])
	return err
}

// streamed tells whether the body asks for a stream. It looks where a client that is not
// out to trick it puts such a member, before or after a long prompt: this is the mock's own
// time.
func streamed(body []byte) bool {
	const window = 4 << 10
	return asks(body[:min(window, len(body))]) || asks(body[max(0, len(body)-window):])
}

func asks(text []byte) bool {
	_, after, found := bytes.Cut(text, []byte(`"stream"`))
	after = bytes.TrimLeft(after, " \t\r\n")
	if !found || len(after) == 0 || after[0] != ':' {
		return false
	}
	return bytes.HasPrefix(bytes.TrimLeft(after[1:], " \t\r\n"), []byte("true"))
}
