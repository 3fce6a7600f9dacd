package alertchannel

import "net/netip"

// Networks are those off the public Internet that channels may be in all the same.
type Networks []netip.Prefix

// public is what of IPv6 is routed; all of IPv4 is, but for special.
var public = netip.MustParsePrefix("2000::/3")

// special are ranges that are not on the public Internet, or lead back from it (IANA
// special-purpose registries; 6to4 and Teredo carry IPv4 addresses inside).
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// Allow tells whether something may be sent to an address.
func (n Networks) Allow(address netip.Addr) bool {
	address = address.Unmap()
	if contains(n, address) {
		return true
	}
	return (address.Is4() || public.Contains(address)) && !contains(special, address)
}

func contains(list []netip.Prefix, address netip.Addr) bool {
	for _, prefix := range list {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}
