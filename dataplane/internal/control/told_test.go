package control

import (
	"testing"
	"time"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

func TestCredentialsAreToldWhenTheyChange(t *testing.T) {
	is := func(state agentv1.CredentialStatus_State, since int64) *agentv1.CredentialReport {
		return &agentv1.CredentialReport{Credentials: []*agentv1.CredentialStatus{{ProviderId: "p", State: state, SinceMs: since}}}
	}
	const ok, stale = agentv1.CredentialStatus_STATE_OK, agentv1.CredentialStatus_STATE_STALE
	began := time.Now()
	lost := told[agentv1.CredentialReport]{}
	for n, step := range []struct {
		now  *agentv1.CredentialReport
		at   time.Duration
		said bool
	}{
		{nil, 0, false}, {is(ok, 0), 0, true}, {is(ok, 0), 5 * time.Second, false}, {is(stale, 1), 10 * time.Second, true},
		{is(stale, 5000), 15 * time.Second, false}, {is(stale, 60_000), 71 * time.Second, true}, {is(ok, 0), 72 * time.Second, true},
	} {
		if got := lost.next(step.now, began.Add(step.at), alikeCredentials); (got != nil) != step.said || got != nil && got != step.now {
			t.Errorf("step %d: said %v", n, got)
		}
	}
}
