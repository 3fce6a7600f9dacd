package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// ErrTooMuch says that an answer was larger than a connection of OpenBounded takes.
var ErrTooMuch = errors.New("the answer is larger than this connection takes")

// ErrLargeBlock says that a block was larger than a connection of OpenStream takes.
var ErrLargeBlock = errors.New("a block is larger than this connection takes")

// OpenBounded is OpenDatabase for answers to strangers: a query whose answer is more than
// most bytes, uncompressed, ends with ErrTooMuch before it is held in memory. The server's
// own bound on results does not count what a constant column grows to when it is sent.
func OpenBounded(url, database string, most int) (*Conn, error) {
	options, err := parse(url)
	if err != nil {
		return nil, err
	}
	options.Auth.Database = database
	return openBounded(options, func(conn net.Conn) net.Conn { return &boundedConn{Conn: conn, most: int64(most)} })
}

// OpenStream is OpenBounded for one query at a time whose blocks are taken as they come: a
// block of more than block bytes ends it with ErrLargeBlock. Three are held at once.
func OpenStream(url, database string, most, block int) (*Conn, error) {
	options, err := parse(url)
	if err != nil {
		return nil, err
	}
	options.Auth.Database = database
	options.MaxOpenConns, options.MaxIdleConns, options.BlockBufferSize = 1, 1, 1
	var now atomic.Pointer[boundedConn]
	options.Logger = slog.New(blockEnds{func() { now.Load().block.Store(0) }})
	return openBounded(options, func(conn net.Conn) net.Conn {
		bounded := &boundedConn{Conn: conn, most: int64(most), mostOfBlock: int64(block)}
		now.Store(bounded)
		return bounded
	})
}

func openBounded(options *clickhouse.Options, bound func(net.Conn) net.Conn) (*Conn, error) {
	options.Compression = &clickhouse.Compression{Method: clickhouse.CompressionNone} // what is counted is what is held
	dial := dialerOf(options)
	options.DialContext = func(ctx context.Context, address string) (net.Conn, error) {
		conn, err := dial(ctx, "tcp", address)
		if err != nil {
			return nil, err //nolint:wrapcheck // the driver says what it was dialling for
		}
		return bound(conn), nil
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
	most, mostOfBlock int64        // mostOfBlock 0: not bounded
	read, block       atomic.Int64 // a query is cancelled while it is read
}

func (c *boundedConn) Write(p []byte) (int, error) {
	c.read.Store(0)
	c.block.Store(0)
	return c.Conn.Write(p) //nolint:wrapcheck // as the connection says it
}

func (c *boundedConn) Read(p []byte) (int, error) {
	switch {
	case c.read.Load() > c.most:
		return 0, ErrTooMuch
	case c.mostOfBlock > 0 && c.block.Load() > c.mostOfBlock:
		return 0, ErrLargeBlock
	}
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	c.block.Add(int64(n))
	return n, err //nolint:wrapcheck // io.EOF has to stay what it is
}

// blockEnds is told by the driver's log, its only word of it, that a block was read whole.
// Without that word a result of more than one block's bytes ends early; it is never held.
type blockEnds struct{ then func() }

func (b blockEnds) Enabled(context.Context, slog.Level) bool { return true }
func (b blockEnds) WithAttrs([]slog.Attr) slog.Handler       { return b }
func (b blockEnds) WithGroup(string) slog.Handler            { return b }

func (b blockEnds) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "data block received" {
		b.then()
	}
	return nil
}
