package alertchannel

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

const maxURL = 2000

// checkURL refuses what could never be sent to. What a host's name resolves to is
// checked again whenever something is sent.
func checkURL(text string, networks Networks) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || len(text) > maxURL || u.Hostname() == "" || u.Opaque != "":
		return fault.Field("url", "want https://host/path, at most %d bytes", maxURL)
	case u.Port() != "" && !isPort(u.Port()):
		return fault.Field("url", "want a port within 1..65535, got %s", u.Port())
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(text, "#"):
		return fault.Field("url", "want no user, query or fragment: the log keeps the URL, and those often hold a secret")
	}
	address, isAddress := addressOf(u.Hostname())
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !isAddress || !address.IsLoopback()):
		return fault.Field("url", "want https; http goes to the control plane's own machine only")
	case isAddress && !networks.Allow(address):
		return fault.Field("url", "%s is not on the public Internet; the operator of this server allows other networks (WEIR_WEBHOOK_NETWORKS)", u.Hostname())
	}
	return nil
}

func isPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port > 0
}

// addressOf a host that is one, or the name of this machine.
func addressOf(host string) (netip.Addr, bool) {
	if strings.EqualFold(host, "localhost") {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), true
	}
	address, err := netip.ParseAddr(host)
	return address.Unmap(), err == nil
}
