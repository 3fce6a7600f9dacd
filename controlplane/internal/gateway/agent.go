package gateway

import (
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// ReasonAgentRevoked is why a revoked agent is refused, whatever it asks for.
const ReasonAgentRevoked = "agent_revoked"

// maxAgentName is in characters, as for the name that an agent gives itself.
const maxAgentName = 200

// Rename changes the name that people see; two agents may have the same.
func (a Agent) Rename(name string) ([]eventlog.Change, error) {
	if a.Revoked() {
		return nil, fault.Because(fault.Precondition, ReasonAgentRevoked, "the agent %q was revoked, for ever; there is nothing to rename", a.Name)
	}
	if n := utf8.RuneCountInString(name); n == 0 || n > maxAgentName {
		return nil, fault.Field("agent.name", "want 1 to %d characters, got %d", maxAgentName, n)
	}
	if name == a.Name {
		return nil, nil
	}
	return []eventlog.Change{{Subject: a.ID, Body: &eventv1.AgentRenamed{Name: name}}}, nil
}

// Revoke ends the agent for ever. Said twice it is true once: the first reason and
// time stay.
func (a Agent) Revoke(reason string, now time.Time) []eventlog.Change {
	if a.Revoked() {
		return nil
	}
	return []eventlog.Change{{Subject: a.ID, Body: &eventv1.AgentRevoked{Reason: reason, RevokedAt: timestamppb.New(now)}}}
}

// Revoked tells whether the agent was revoked.
func (a Agent) Revoked() bool { return !a.RevokedAt.IsZero() }

// Refused is the Unauthenticated fault for what a revoked agent asks.
func (a Agent) Refused() error {
	return fault.Because(fault.Unauthenticated, ReasonAgentRevoked,
		"agent %s was revoked at %s, for ever; enrol anew with another key and a new token", a.ID, a.RevokedAt.UTC().Format(time.RFC3339))
}
