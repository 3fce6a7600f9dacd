package proxy

import (
	"net"
	"syscall"
)

// listener gives its connections an answer in pieces of writeSlice. Left alone, a
// kernel takes megabytes at once and then tells of no progress until the caller has
// taken a third of them, so that one who is slow and never stands still would be
// given up.
type listener struct{ net.Listener }

// Listening returns the listener to serve a Handler from.
func Listening(l net.Listener) net.Listener { return listener{l} }

func (l listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err //nolint:wrapcheck // net/http knows its own
	}
	if socket, ok := conn.(syscall.Conn); ok {
		if raw, err := socket.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) { limitUnsent(int(fd), writeSlice) })
		}
	}
	return conn, nil
}
