package proxy

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// connections counts those that attempts are made over.
type connections struct {
	used  *prometheus.CounterVec
	count func(httptrace.GotConnInfo)
}

func newConnections() connections {
	used := counters("weir_agent_upstream_connections_total",
		"Attempts that got a connection to their upstream, by how: a new one, or one that was open.", "kind")
	fresh, reused := used.WithLabelValues("new"), used.WithLabelValues("reused")
	return connections{used: used, count: func(got httptrace.GotConnInfo) {
		if got.Reused {
			reused.Inc()
		} else {
			fresh.Inc()
		}
	}}
}

// traffic is of all connections that a transport made.
type traffic struct{ open, sent, received atomic.Int64 }

// collectors of the traffic of a transport that counts it.
func collectors(transport http.RoundTripper) []prometheus.Collector {
	counts := &traffic{}
	if t, ok := transport.(*Transport); ok {
		counts = &t.traffic
	}
	bytes := func(name, help string, value *atomic.Int64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(value.Load()) })
	}
	return []prometheus.Collector{
		gauge("weir_agent_upstream_connections_open", "Connections to upstreams that are open.", counts.open.Load),
		bytes("weir_agent_upstream_sent_bytes_total", "Bytes sent to upstreams, TLS and headers included.", &counts.sent),
		bytes("weir_agent_upstream_received_bytes_total", "Bytes received from upstreams, TLS and headers included.", &counts.received),
	}
}

type dial func(ctx context.Context, network, address string) (net.Conn, error)

// counted dials connections that are counted.
func (t *traffic) counted(next dial) dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := next(ctx, network, address)
		if err != nil {
			return nil, err
		}
		t.open.Add(1)
		return &countedConn{Conn: conn, traffic: t}, nil
	}
}

type countedConn struct {
	net.Conn
	traffic *traffic
	closed  sync.Once
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.traffic.received.Add(int64(n))
	return n, err //nolint:wrapcheck // net/http knows its own
}

func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.traffic.sent.Add(int64(n))
	return n, err //nolint:wrapcheck // net/http knows its own
}

// copies are for bodies that are larger than the transport's own buffer.
var copies = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// ReadFrom writes all of r, as io.Copy does, without memory of its own for each.
func (c *countedConn) ReadFrom(r io.Reader) (int64, error) {
	space := copies.Get().(*[32 << 10]byte)
	defer copies.Put(space)
	return io.CopyBuffer(struct{ io.Writer }{c}, r, space[:]) //nolint:wrapcheck // net/http knows its own
}

func (c *countedConn) Close() error {
	c.closed.Do(func() { c.traffic.open.Add(-1) })
	return c.Conn.Close() //nolint:wrapcheck // net/http knows its own
}
