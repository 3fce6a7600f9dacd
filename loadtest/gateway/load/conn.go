package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// Request is one request to one address, its bytes made once.
type Request struct {
	Address string // host:port
	Bytes   []byte
}

// NewRequest renders a POST of JSON as HTTP/1.1.
func NewRequest(address, path, key string, body []byte) Request {
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: weir-loadtest\r\nContent-Type: application/json\r\nContent-Length: %d\r\n",
		path, address, len(body))
	if key != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", key)
	}
	b.WriteString("\r\n")
	b.Write(body)
	return Request{Address: address, Bytes: b.Bytes()}
}

// Answer is what a response was, its body aside.
type Answer struct {
	Status int
	// Body is its length in bytes, chunk sizes not counted.
	Body int64
	// First is when its body began to come.
	First time.Time
	// Closing: the server takes no other request on the connection.
	Closing bool
}

// Conn is a client's connection that costs next to nothing: what a load generator spends
// on a core that it shares with the mock is missing from what can be measured. It knows as
// much of HTTP/1.1 as answers to a POST need.
type Conn struct {
	net     net.Conn
	r       *bufio.Reader
	timeout time.Duration
}

// Dial connects; timeout bounds the dial and later each request.
func Dial(address string, timeout time.Duration) (*Conn, error) {
	c, err := net.DialTimeout("tcp", address, timeout)
	if err != nil {
		return nil, err
	}
	return &Conn{net: c, r: bufio.NewReaderSize(c, 16<<10), timeout: timeout}, nil
}

// Close drops the connection.
func (c *Conn) Close() error { return c.net.Close() }

// Do sends a request and reads its whole answer, the body into into; nil: nowhere.
func (c *Conn) Do(r Request, into io.Writer) (Answer, error) {
	if err := c.Send(r); err != nil {
		return Answer{}, err
	}
	a, body, err := c.Head()
	if err != nil {
		return a, err
	}
	if into == nil {
		into = io.Discard
	}
	return a, c.read(&a, body, into)
}

// Send writes a request.
func (c *Conn) Send(r Request) error {
	if err := c.net.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return err
	}
	_, err := c.net.Write(r.Bytes)
	return err
}

const (
	chunked    = -1 // the body's length stands in chunks
	untilClose = -2
)

// Head reads an answer up to its body; length is the body's, chunked or untilClose.
func (c *Conn) Head() (a Answer, length int64, err error) {
	for {
		if a, length, err = c.head(); err != nil || a.Status >= 200 {
			return a, length, err
		}
	}
}

func (c *Conn) head() (a Answer, length int64, err error) {
	line, err := c.line()
	if err != nil {
		return a, 0, fmt.Errorf("read the answer: %w", err)
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) {
		return a, 0, fmt.Errorf("no answer of HTTP/1.1 begins with %q", line)
	}
	if a.Status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return a, 0, fmt.Errorf("no status in %q", line)
	}
	length = untilClose
	if a.Status < 200 || a.Status == 204 || a.Status == 304 {
		length = 0
	}
	for {
		if line, err = c.line(); err != nil {
			return a, 0, fmt.Errorf("read the answer's head: %w", err)
		}
		if len(line) == 0 {
			a.Closing = a.Closing || length == untilClose
			return a, length, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case is(name, "content-length"):
			if length, err = strconv.ParseInt(string(value), 10, 64); err != nil || length < 0 {
				return a, 0, fmt.Errorf("content-length %q", value)
			}
		case is(name, "transfer-encoding"):
			length = chunked
		case is(name, "connection"):
			a.Closing = is(value, "close")
		}
	}
}

func is(got []byte, want string) bool {
	return len(got) == len(want) && bytes.EqualFold(got, []byte(want))
}

// line is the next line without its end; it is valid until the next read.
func (c *Conn) line() ([]byte, error) {
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

func (c *Conn) read(a *Answer, length int64, into io.Writer) error {
	switch length {
	case 0:
		a.First = time.Now()
		return nil
	case chunked:
		for {
			more, err := c.chunk(a, into)
			if err != nil || !more {
				return err
			}
		}
	case untilClose:
		if _, err := c.r.Peek(1); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		a.First = time.Now()
		n, err := io.Copy(into, c.r)
		a.Body = n
		return err
	}
	if _, err := c.r.Peek(1); err != nil {
		return fmt.Errorf("read the body: %w", err)
	}
	a.First = time.Now()
	return c.copy(a, into, length)
}

// chunk reads one, false: the last.
func (c *Conn) chunk(a *Answer, into io.Writer) (more bool, err error) {
	line, err := c.line()
	if err != nil {
		return false, fmt.Errorf("the body broke after %d bytes: %w", a.Body, err)
	}
	text, _, _ := bytes.Cut(line, []byte(";"))
	size, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 16, 64)
	if err != nil || size < 0 {
		return false, fmt.Errorf("chunk size %q", line)
	}
	if size > 0 && a.First.IsZero() {
		a.First = time.Now()
	}
	if err := c.copy(a, into, size); err != nil {
		return false, err
	}
	for { // the end of a chunk is one empty line, trailers come before that of the last
		if line, err = c.line(); err != nil {
			return false, fmt.Errorf("the body broke after %d bytes: %w", a.Body, err)
		}
		if len(line) == 0 {
			return size > 0, nil
		}
	}
}

func (c *Conn) copy(a *Answer, into io.Writer, size int64) error {
	var n int64
	var err error
	if into == io.Discard {
		var discarded int
		discarded, err = c.r.Discard(int(size))
		n = int64(discarded)
	} else {
		n, err = io.CopyN(into, c.r, size)
	}
	a.Body += n
	if err != nil {
		return fmt.Errorf("the body broke after %d bytes: %w", a.Body, err)
	}
	return nil
}
