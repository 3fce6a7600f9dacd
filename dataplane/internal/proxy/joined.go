package proxy

import (
	"bytes"
	"io"
	"net/http/httptrace"
)

// maxJoined bounds the bodies that go out in one write with their header: net/http does that
// with readers of memory that it knows, where its buffer holds both.
const maxJoined = 3 << 10

// joined opens a body in one piece. The pieces are copied, since nobody tells when the
// transport, which may read on after RoundTrip, is done with such a reader.
func joined(pieces [][]byte, length int64) func() io.ReadCloser {
	all := make([]byte, 0, length)
	for _, piece := range pieces {
		all = append(all, piece...)
	}
	return func() io.ReadCloser { return io.NopCloser(bytes.NewReader(all)) }
}

// joinedTrace takes a body for one that may have reached the upstream as soon as there is a
// connection for it. The transport looks for another one only where it wrote nothing.
func (u *upstream) joinedTrace() *httptrace.ClientTrace {
	count := u.exchange.handler.metrics.connections.trace.GotConn
	return &httptrace.ClientTrace{
		GetConn: func(string) { u.reached.forget() },
		GotConn: func(got httptrace.GotConnInfo) {
			u.reached.take()
			count(got)
		},
	}
}
