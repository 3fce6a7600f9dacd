package rpc

import (
	"fmt"
	"time"

	"github.com/weirhq/weir/controlplane/internal/fleet"
)

// unsaidCapability is the most that a build can have that does not say.
const unsaidCapability = 3

// noticeOf says what the operator of an agent has to do; empty: nothing.
func noticeOf(s fleet.Status) string {
	if s.Boots > 1 {
		return fmt.Sprintf("%d processes report as this agent: its state folder was copied, and what is shown here is of either. Keep one; "+
			"stop the others, remove identity/ from their folders and start them with a new token: what they have spooled is delivered", s.Boots)
	}
	able, has := s.Capability, fmt.Sprintf("has %d", s.Capability)
	if able == 0 {
		able, has = unsaidCapability, fmt.Sprintf("is from before 2026-11-26 and has at most %d", unsaidCapability)
	}
	if s.ReleasesBehind == 0 || s.NeededCapability <= able {
		return ""
	}
	return fmt.Sprintf("serves version %d; newer ones came since %s: the newest needs an agent of capability %d, this build %s; upgrade it",
		s.PolicyVersion, s.BehindSince.UTC().Format(time.RFC3339), s.NeededCapability, has)
}
