package proxy

import "golang.org/x/sys/unix"

// limitUnsent bounds what a socket holds beyond what is on its way to the other end
// (tcp(7), TCP_NOTSENT_LOWAT). Where that fails, deadlines are as coarse as without.
func limitUnsent(fd, bytes int) {
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, bytes)
}
