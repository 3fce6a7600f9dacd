package proxy

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
)

// metadata are addresses outside of the link-local ranges where clouds answer whoever
// asks with credentials: of AWS, Alibaba and Azure.
var metadata = []netip.Addr{
	netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("168.63.129.16"),
}

// guarded connects no name to an address where no provider is. The address that is
// looked at is the one that is connected to, whatever a name server says the next time.
// Who lists an address itself means it.
func guarded(dialer net.Dialer) func(ctx context.Context, network, address string) (net.Conn, error) {
	named := dialer
	named.Control = func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil || neverUpstream(to.Addr().Unmap().WithZone("")) {
			return fmt.Errorf("the upstream's name leads to %s, where no provider is", address)
		}
		return nil
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		if _, err := netip.ParseAddr(host); err == nil {
			return dialer.DialContext(ctx, network, address)
		}
		return named.DialContext(ctx, network, address)
	}
}

func neverUpstream(a netip.Addr) bool {
	return a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast() || slices.Contains(metadata, a)
}
