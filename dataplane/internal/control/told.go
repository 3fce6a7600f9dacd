package control

import (
	"time"

	"google.golang.org/protobuf/proto"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// tellEvery is how often credentials are reported that did not change.
const tellEvery = time.Minute

// told is what the last report with credentials said, and when. The zero value: none
// arrived.
type told struct {
	report *agentv1.CredentialReport
	at     time.Time
}

// next is what this report says; nil: nothing that is not known.
func (t *told) next(now *agentv1.CredentialReport, at time.Time) *agentv1.CredentialReport {
	if now == nil || t.report != nil && at.Sub(t.at) < tellEvery && proto.Equal(timeless(now), timeless(t.report)) {
		return nil
	}
	*t = told{report: now, at: at}
	return now
}

// timeless leaves out what changes by itself.
func timeless(r *agentv1.CredentialReport) *agentv1.CredentialReport {
	r = proto.CloneOf(r)
	for _, c := range r.GetCredentials() {
		c.SinceMs = 0
	}
	return r
}
