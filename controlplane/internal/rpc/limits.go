package rpc

import (
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/fault"
)

const reasonTooManyCalls = "too_many_calls"

// Rate is how many calls a second may come, and how many at once after a rest.
// A Rate of zero has no limit.
type Rate struct {
	PerSecond float64
	Burst     float64
}

// Limits bounds how often a principal calls, and an address without one. It
// counts in this process alone, so that n processes let through n times as much.
type Limits struct {
	mu         sync.Mutex
	now        func() time.Time
	principals buckets
	strangers  buckets
}

// NewLimits makes limits that go by the clock now.
func NewLimits(principal, stranger Rate, now func() time.Time) *Limits {
	return &Limits{now: now, principals: newBuckets(principal), strangers: newBuckets(stranger)}
}

// principal takes one call from whoever is known; an Exhausted fault says that there is none left.
func (l *Limits) principal(caller authn.Principal) error {
	return l.take(&l.principals, caller.Actor(), "you call")
}

// stranger takes one call from an address (host:port) from which nobody known calls.
func (l *Limits) stranger(address string) error {
	return l.take(&l.strangers, network(address), "your address calls without valid credentials")
}

func (l *Limits) take(from *buckets, name, who string) error {
	if from.rate.PerSecond == 0 {
		return nil
	}
	l.mu.Lock()
	wait := from.take(name, l.now())
	l.mu.Unlock()
	if wait == 0 {
		return nil
	}
	f := fault.Because(fault.Exhausted, reasonTooManyCalls,
		"%s more than %g times a second; wait for as long as Retry-After says", who, from.rate.PerSecond)
	f.RetryAfter = wait
	return f
}

// network is what counts as one address: the /64 of IPv6, where one subscriber has them all.
func network(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if ip = ip.Unmap(); ip.Is4() {
		return ip.String()
	}
	prefix, _ := ip.Prefix(64) // fails for more bits than an address has
	return prefix.String()
}
