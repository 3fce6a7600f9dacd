package proxy

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptrace"
)

// maxJoined bounds the bodies that go out in one write with their header: net/http does that
// with readers of memory that it knows, where its buffer holds both.
const maxJoined = 3 << 10

// maxSends is how often one attempt is sent over HTTP/2: again only where the upstream said that
// it did not take the request.
const maxSends = 4

var errSentOften = errors.New("the upstream reset the request each time that it was sent")

// joined opens a body in one piece. The pieces are copied, since nobody tells when the
// transport, which may read on after RoundTrip, is done with such a reader.
func joined(pieces [][]byte, length int64) func() io.ReadCloser {
	all := make([]byte, 0, length)
	for _, piece := range pieces {
		all = append(all, piece...)
	}
	return func() io.ReadCloser { return io.NopCloser(bytes.NewReader(all)) }
}

// trace notes the connections that the transport takes. A body in one piece is taken for one
// that may have reached the upstream as soon as there is one. The transport looks for another
// one on HTTP/1 only where it wrote nothing; on HTTP/2 also where the upstream reset the
// request, which it may have read whole.
func (u *upstream) trace(joined bool) *httptrace.ClientTrace {
	count := u.exchange.handler.metrics.connections.count
	trace := &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
		u.over, u.sends = got.Conn, u.sends+1
		if joined {
			u.reached.take()
		}
		count(got)
	}}
	if joined {
		trace.GetConn = func(string) {
			if !isHTTP2(u.over) {
				u.reached.forget()
			}
		}
	}
	return trace
}

// sendable tells whether the transport may send the body once more. An upstream that resets
// what it read, and closes, would else be sent it for ever: the transport counts only what it
// sends over connections that are there.
func (u *upstream) sendable() error {
	if u.sends >= maxSends && isHTTP2(u.over) {
		return errSentOften
	}
	return nil
}

// isHTTP2 is of connections that the transport made: it speaks HTTP/2 over TLS alone.
func isHTTP2(c net.Conn) bool {
	secured, ok := c.(*tls.Conn)
	return ok && secured.ConnectionState().NegotiatedProtocol == "h2"
}
