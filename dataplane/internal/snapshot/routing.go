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
	// MaxTargets bounds those that the strategy chooses among.
	MaxTargets  = 16
	MaxAttempts = 5
	maxWeight   = 1000
	maxBackoff  = 10 * time.Second

	defaultBackoff = 100 * time.Millisecond
)

// Failures is a set of the ways in which attempts end without an answer.
type Failures uint16

// The bit of each has the number that it has in the policy.
const (
	RateLimited   Failures = 1 << policyv1.Failure_FAILURE_RATE_LIMITED
	Overloaded    Failures = 1 << policyv1.Failure_FAILURE_OVERLOADED
	UpstreamError Failures = 1 << policyv1.Failure_FAILURE_UPSTREAM_ERROR
	Timeout       Failures = 1 << policyv1.Failure_FAILURE_TIMEOUT
	Unreachable   Failures = 1 << policyv1.Failure_FAILURE_UNREACHABLE
	Credential    Failures = 1 << policyv1.Failure_FAILURE_CREDENTIAL
	// ContextTooLong: targets that take no more are passed over.
	ContextTooLong Failures = 1 << policyv1.Failure_FAILURE_CONTEXT_TOO_LONG
	ContentFilter  Failures = 1 << policyv1.Failure_FAILURE_CONTENT_FILTER

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
		if failure < policyv1.Failure_FAILURE_RATE_LIMITED || failure > policyv1.Failure_FAILURE_CONTENT_FILTER {
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
