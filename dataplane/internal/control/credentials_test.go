package control_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/control"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// Reports carry credentials when something changed, and not each time.
func TestCredentialsInReports(t *testing.T) {
	l, p := newLiar(t), &plane{}
	say := func(state agentv1.CredentialStatus_State) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.credentials = &agentv1.CredentialReport{Credentials: []*agentv1.CredentialStatus{{ProviderId: "p", State: state}}}
	}
	hear := func(want agentv1.CredentialStatus_State) (silent int) {
		t.Helper()
		for tooLate := time.After(15 * time.Second); ; {
			select {
			case r := <-l.reports:
				if r.GetCredentials() == nil {
					silent++
				} else if got := r.GetCredentials().GetCredentials()[0].GetState(); got == want {
					return silent
				} else {
					t.Fatalf("%v was said again", got)
				}
			case <-tooLate:
				t.Fatalf("%v is not in a report", want)
			}
		}
	}
	say(agentv1.CredentialStatus_STATE_OK)
	config := p.config(l.url, t.TempDir())
	config.Timing = control.Timing{Report: 5 * time.Millisecond}
	run(t, config)
	hear(agentv1.CredentialStatus_STATE_OK)
	eventually(t, "reports go on", func() bool { return len(l.reports) > 5 })
	say(agentv1.CredentialStatus_STATE_STALE)
	if silent := hear(agentv1.CredentialStatus_STATE_STALE); silent < 5 {
		t.Errorf("%d reports without credentials", silent)
	}
}
