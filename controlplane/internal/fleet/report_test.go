package fleet

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// A report that says nothing of credentials takes back nothing that waits to be stored.
func TestReportBufferKeepsCredentials(t *testing.T) {
	now := time.Now()
	said := map[string]Credential{"p": {State: 2, Reason: "gone"}}
	report := func(at time.Time, credentials map[string]Credential) Report {
		return Report{AgentID: uuid.UUID{1}, Status: Status{LastSeenAt: at, Credentials: credentials}, Tails: map[string]Tail{}}
	}
	for name, second := range map[string]Report{
		"a_later_one": report(now.Add(time.Second), nil), "an_earlier_one": report(now.Add(-time.Second), map[string]Credential{}),
	} {
		b := newReportBuffer()
		b.add(report(now, said))
		b.add(second)
		if diff := cmp.Diff(said, b.take()[0].Status.Credentials); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
