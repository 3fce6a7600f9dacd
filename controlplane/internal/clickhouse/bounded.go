package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync/atomic"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// ErrTooMuch says that an answer was larger than a connection of OpenBounded takes.
var ErrTooMuch = errors.New("the answer is larger than this connection takes")

// OpenBounded is OpenDatabase for answers to strangers: a query whose answer is more than
// most bytes, uncompressed, ends with ErrTooMuch before it is held in memory. The server's
// own bound on results does not count what a constant column grows to when it is sent.
func OpenBounded(url, database string, most int) (*Conn, error) {
	options, err := parse(url)
	if err != nil {
		return nil, err
	}
	options.Auth.Database = database
	options.Compression = &clickhouse.Compression{Method: clickhouse.CompressionNone} // what is counted is what is held
	dial := dialerOf(options)
	options.DialContext = func(ctx context.Context, address string) (net.Conn, error) {
		conn, err := dial(ctx, "tcp", address)
		if err != nil {
			return nil, err //nolint:wrapcheck // the driver says what it was dialling for
		}
		return &boundedConn{Conn: conn, most: int64(most)}, nil
	}
	return newConn(options)
}

// dialerOf dials as the driver does where nobody else dials for it.
func dialerOf(options *clickhouse.Options) func(ctx context.Context, network, address string) (net.Conn, error) {
	plain := &net.Dialer{Timeout: options.DialTimeout}
	if options.TLS == nil || options.Protocol == clickhouse.HTTP {
		return plain.DialContext
	}
	return (&tls.Dialer{NetDialer: plain, Config: options.TLS}).DialContext
}

// boundedConn counts what is read since something was last written: the query.
type boundedConn struct {
	net.Conn
	most int64
	read atomic.Int64 // a query is cancelled while it is read
}

func (c *boundedConn) Write(p []byte) (int, error) {
	c.read.Store(0)
	return c.Conn.Write(p) //nolint:wrapcheck // as the connection says it
}

func (c *boundedConn) Read(p []byte) (int, error) {
	if c.read.Load() > c.most {
		return 0, ErrTooMuch
	}
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err //nolint:wrapcheck // io.EOF has to stay what it is
}
