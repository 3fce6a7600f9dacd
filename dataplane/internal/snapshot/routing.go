package snapshot

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Bounds of a route.
const (
	MaxTargets  = 16
	MaxAttempts = 5
	maxWeight   = 1000
	maxBackoff  = 10 * time.Second

	defaultBackoff = 100 * time.Millisecond
)

// Failures is a set of the ways in which attempts end without an answer.
type Failures uint8

// The bit of each has the number that it has in the policy.
const (
	RateLimited   Failures = 1 << policyv1.Failure_FAILURE_RATE_LIMITED
	Overloaded    Failures = 1 << policyv1.Failure_FAILURE_OVERLOADED
	UpstreamError Failures = 1 << policyv1.Failure_FAILURE_UPSTREAM_ERROR
	Timeout       Failures = 1 << policyv1.Failure_FAILURE_TIMEOUT
	Unreachable   Failures = 1 << policyv1.Failure_FAILURE_UNREACHABLE
	Credential    Failures = 1 << policyv1.Failure_FAILURE_CREDENTIAL

	defaultFailures = RateLimited | Overloaded | UpstreamError | Timeout | Unreachable
)

// Has tells whether the sets have a failure in common.
func (f Failures) Has(other Failures) bool { return f&other != 0 }

// Retry is when a request goes on to another attempt.
type Retry struct {
	// Attempts of the whole request, 1 to MaxAttempts.
	Attempts int
	// Once: no target is tried twice.
	Once bool
	// Backoff is the most that the first repeat on a target waits.
	Backoff time.Duration
	On      Failures
}

// Repeats tells whether a target may be tried more than once by one request.
func (r Retry) Repeats() bool { return r.Attempts > 1 && !r.Once }

// retry fills in what the policy leaves open.
func (c *compiler) retry(routeID string, r *policyv1.Route) Retry {
	attempts, backoff := int(r.GetRetry().GetMaxAttempts()), r.GetRetry().GetBackoffMs()
	if attempts < 0 || attempts > MaxAttempts {
		c.refuse("route %s: %d attempts, 0 to %d are accepted", routeID, attempts, MaxAttempts)
	}
	if backoff < 0 || backoff > maxBackoff.Milliseconds() {
		c.refuse("route %s: its backoff is %d ms, 0 to %d are accepted", routeID, backoff, maxBackoff.Milliseconds())
	}
	var on Failures
	for _, failure := range r.GetRetry().GetOn() {
		if failure < policyv1.Failure_FAILURE_RATE_LIMITED || failure > policyv1.Failure_FAILURE_CREDENTIAL {
			c.refuse("route %s: unknown failure %d", routeID, failure)
			continue
		}
		on |= 1 << failure
	}
	return Retry{
		Attempts: cmp.Or(attempts, min(len(r.GetTargets()), MaxAttempts)), Once: attempts == 0,
		Backoff: cmp.Or(time.Duration(backoff)*time.Millisecond, defaultBackoff),
		On:      cmp.Or(on, defaultFailures),
	}
}

// checkTargets holds them to what the strategy takes.
func (c *compiler) checkTargets(routeID string, r *policyv1.Route) {
	most := MaxTargets
	switch r.GetStrategy() {
	case policyv1.Strategy_STRATEGY_SINGLE:
		most = 1
	case policyv1.Strategy_STRATEGY_WEIGHTED, policyv1.Strategy_STRATEGY_PRIORITY:
	default:
		c.refuse("route %s: unknown strategy %d", routeID, r.GetStrategy())
		return
	}
	count := len(r.GetTargets())
	switch served := r.GetUnserved() == ""; {
	case served && (count < 1 || count > most):
		c.refuse("route %s: %d targets, its strategy takes 1 to %d", routeID, count, most)
	case !served && count > 0:
		c.refuse("route %s: it is not served, and has %d targets", routeID, count)
	}
	seen := map[string]bool{}
	for _, t := range r.GetTargets() {
		c.checkWeight(routeID, r.GetStrategy(), t.GetWeight())
		upstream := t.GetProviderId() + "/" + t.GetModel()
		if seen[upstream] {
			c.refuse("route %s: it has the target %s twice", routeID, upstream)
		}
		seen[upstream] = true
	}
}

func (c *compiler) checkWeight(routeID string, strategy policyv1.Strategy, weight int32) {
	least, most := int32(0), int32(0)
	if strategy == policyv1.Strategy_STRATEGY_WEIGHTED {
		least, most = 1, maxWeight
	}
	if weight < least || weight > most {
		c.refuse("route %s: a target has the weight %d, its strategy takes %d to %d", routeID, weight, least, most)
	}
}

// headerText escapes what a header's value can't hold, as in a URL.
func headerText(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}
