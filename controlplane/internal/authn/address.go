package authn

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ClientAddress is where a request came from: the connection's own address (IP and port), or the newest one in
// X-Forwarded-For that no trusted proxy has. Anybody can write the older ones. Empty where that is no IP address.
func ClientAddress(connection string, header http.Header, trusted []netip.Prefix) string {
	from, err := netip.ParseAddrPort(connection)
	if err != nil {
		return ""
	}
	at := from.Addr().Unmap()
	hops := strings.Split(strings.Join(header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		before, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil || !slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(at) }) {
			break
		}
		at = before.Unmap()
	}
	return at.WithZone("").String()
}
