package control

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// tellEvery is how often is reported what did not change.
const tellEvery = time.Minute

// told is what the last report said of something, and when. The zero value: none arrived.
type told[T any] struct {
	report *T
	at     time.Time
}

// next is what this report says; nil: nothing that is not known.
func (t *told[T]) next(now *T, at time.Time, alike func(a, b *T) bool) *T {
	if now == nil || t.report != nil && at.Sub(t.at) < tellEvery && alike(now, t.report) {
		return nil
	}
	*t = told[T]{report: now, at: at}
	return now
}

// alikeCredentials leaves out what changes by itself.
func alikeCredentials(a, b *agentv1.CredentialReport) bool {
	timeless := func(r *agentv1.CredentialReport) *agentv1.CredentialReport {
		r = proto.CloneOf(r)
		for _, c := range r.GetCredentials() {
			c.SinceMs = 0
		}
		return r
	}
	return proto.Equal(timeless(a), timeless(b))
}

// alikeTargets leaves out what changes with each request, and the order that follows from it.
func alikeTargets(a, b *agentv1.TargetReport) bool {
	steady := func(r *agentv1.TargetReport) *agentv1.TargetReport {
		r = proto.CloneOf(r)
		for _, t := range r.GetTargets() {
			t.SinceMs, t.TimeToFirstTokenUs, t.TimePerTokenUs, t.InFlight = 0, 0, 0, 0
		}
		slices.SortFunc(r.GetTargets(), func(a, b *agentv1.TargetStatus) int {
			return cmp.Or(strings.Compare(a.GetProviderId(), b.GetProviderId()), strings.Compare(a.GetModel(), b.GetModel()))
		})
		return r
	}
	return proto.Equal(steady(a), steady(b))
}
