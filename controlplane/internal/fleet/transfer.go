package fleet

import (
	"bytes"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// transfer is a snapshot that waits to begin, or is under way.
type transfer struct {
	ticket *ticket
	of     *published // nil before it begins
	frames []*agentv1.WatchResponse
}

// sendPolicy brings the agent to the latest policy by a delta, else by a snapshot.
func (s *session) sendPolicy(latest *published) (more bool, err error) {
	if s.transfer != nil {
		return s.sendPart(latest)
	}
	if !s.lacks(latest) {
		return false, nil
	}
	delta, err := s.deltaTo(latest)
	if err != nil {
		return false, err
	}
	if delta != nil {
		s.at, s.base = latest.position, nil
		s.policies++
		return false, s.say(delta)
	}
	s.transfer = &transfer{ticket: s.admission.enter(s.feed.organization, int64(latest.policy.Bytes), s.served)}
	return s.sendPart(latest)
}

func (s *session) lacks(latest *published) bool {
	if latest == nil || bytes.Equal(latest.release.Root, s.rejected) {
		return false
	}
	return !s.served || newer(latest.epoch, latest.version, s.at.epoch, s.at.version)
}

// deltaTo is nil where the agent has to have the whole policy.
func (s *session) deltaTo(latest *published) (*agentv1.WatchResponse, error) {
	if !s.served || s.whole || s.capability < capabilityDelta {
		return nil, nil
	}
	base := s.base
	if base == nil {
		base = s.feed.withRoot(s.at.root)
	}
	if base == nil {
		return nil, nil
	}
	return latest.deltaFrom(s.at, base)
}

// sendPart sends the next message of a snapshot. One that began goes on to its end, though
// there be a newer one by then: else a slow reader would never have any.
func (s *session) sendPart(latest *published) (more bool, err error) {
	t := s.transfer
	if !t.ticket.admitted() {
		return false, nil
	}
	if t.of == nil && !s.lacks(latest) {
		s.endTransfer() // what came while it waited is what the agent refused
		return false, nil
	}
	if t.of == nil {
		if t.frames, err = latest.frames(s.capability); err != nil {
			return false, err
		}
		s.begin(latest)
	}
	part := t.frames[0]
	if t.frames = t.frames[1:]; len(t.frames) == 0 {
		s.at, s.base, s.whole = t.of.position, t.of.policy, false
		s.policies++
		defer s.endTransfer()
	}
	return true, s.say(part)
}

// begin notes that the agent gets the revocations that a snapshot begins with.
func (s *session) begin(latest *published) {
	s.transfer.of, s.served = latest, true
	if set := latest.revoked.set; newer(set.GetEpoch(), set.GetVersion(), s.revocationEpoch, s.revocationVersion) {
		s.revocationEpoch, s.revocationVersion = set.GetEpoch(), set.GetVersion()
	}
}

func (s *session) endTransfer() {
	s.sent(s.transfer.ticket)
	s.transfer = nil
}

// close lets others begin in the place of what did not come to its end.
func (s *session) close() {
	if s.transfer != nil {
		s.transfer.ticket.leave()
	}
}
