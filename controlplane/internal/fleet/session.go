package fleet

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/policy"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// goAwaySpread is over which time those come back that are sent away together.
const goAwaySpread = time.Second

// session is one stream or poll: what was sent in it decides what is sent next.
type session struct {
	watcher   *watcher
	feed      *feed // of the agent's track, at the last look
	admission *admission
	send      func(*agentv1.WatchResponse) error
	sent      func(*ticket) // all of a snapshot

	capability        int32
	whole             bool // no deltas, please
	served            bool // the agent has a policy
	at                position
	base              *policy.Compiled // what is at that position; nil: the feed may know
	revocationEpoch   int64
	revocationVersion int64
	revocations       *frame // that was sent last
	rejected          []byte
	presented         *policyv1.SignedRelease // what the agent serves, until the feed knows what to make of it
	transfer          *transfer
	policies, sets    int // that were sent
	asks              int // that were sent
	said              bool
	beats             <-chan time.Time
	beatDue           bool
	beaten            bool
}

func newSession(req *agentv1.WatchRequest, w *watcher, a *admission) *session {
	have := req.GetHave()
	return &session{
		watcher: w, admission: a,
		capability:        req.GetCapability(),
		whole:             req.GetWhole(),
		served:            have != nil,
		at:                position{have.GetEpoch(), have.GetVersion(), string(have.GetRoot())},
		revocationEpoch:   have.GetEpoch(),
		revocationVersion: have.GetRevocationVersion(),
		rejected:          req.GetRejectedRoot(),
		presented:         req.GetRelease(),
	}
}

// always is ready.
var always = func() <-chan struct{} { c := make(chan struct{}); close(c); return c }()

func (s *session) run(ctx context.Context, timing Timing, draining <-chan struct{}) error {
	beat := time.NewTicker(timing.Heartbeat)
	defer beat.Stop()
	s.beats = beat.C
	age := time.NewTimer(jitter(timing.StreamAge))
	defer age.Stop()
	for {
		more, err := s.catchUp()
		if err != nil {
			return err
		}
		if s.mustLeave() {
			return s.goAway("a newer build of the control plane serves this gateway", deferSpread)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.watcher.ended:
			return s.goAway("the agent was revoked", 0) // it comes back, and is refused with the reason
		case <-draining:
			return s.goAway("the control plane shuts down", goAwaySpread)
		case <-age.C:
			return s.goAway("the stream is old", 0)
		case <-s.beats:
			s.beatDue = true
		case <-s.watcher.wake:
		case <-s.next(more):
		}
	}
}

// poll ends with the first policy, set of revocations or ask, or after the wait.
func (s *session) poll(ctx context.Context, wait time.Duration, draining <-chan struct{}) error {
	s.said, s.beaten = true, true // its one heartbeat is at the end
	over := time.NewTimer(wait)
	defer over.Stop()
	for {
		more, err := s.catchUp()
		if err != nil {
			return err
		}
		if s.mustLeave() {
			return s.goAway("a newer build of the control plane serves this gateway", deferSpread)
		}
		if !more && s.policies+s.sets+s.asks > 0 {
			_, latest := s.current()
			return s.beat(s.behind(latest))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.watcher.ended:
			return s.goAway("the agent was revoked", 0)
		case <-draining:
			return s.goAway("the control plane shuts down", goAwaySpread)
		case <-s.next(more):
		case <-s.watcher.wake:
		case <-over.C:
			_, latest := s.current()
			return s.beat(latest == nil || s.behind(latest))
		}
	}
}

// mustLeave for another process; a snapshot that began goes on to its end.
func (s *session) mustLeave() bool { return s.transfer == nil && s.feed.defers() }

// next is ready when there is more to send.
func (s *session) next(more bool) <-chan struct{} {
	if more {
		return always
	}
	if s.transfer != nil {
		return s.transfer.ticket.ready
	}
	return nil
}

// catchUp sends revocations before anything else, then the policy or a part of it; more
// tells that it has to be called again. The first heartbeat follows the first look at
// the policy: it confirms what the agent has.
func (s *session) catchUp() (more bool, err error) {
	select {
	case <-s.beats: // more to send is no reason to skip one
		s.beatDue = true
	default:
	}
	s.feed = s.watcher.follow()
	if s.presented != nil && s.feed.hear(s.presented) {
		s.presented = nil
	}
	revocations, latest := s.current()
	if err := s.sendRevocations(revocations); err != nil {
		return false, err
	}
	if more, err = s.sendPolicy(latest); err != nil {
		return false, err
	}
	if err := s.sendAsks(); err != nil {
		return false, err
	}
	return more, s.beatIfDue(latest)
}

// current leaves out a policy that is not for the agent's track.
func (s *session) current() (*frame, *published) {
	revocations, latest := s.feed.current()
	if !latest.isFor(s.watcher.agent.ID) {
		latest = nil
	}
	return revocations, latest
}

// sendRevocations leaves an agent without a policy alone: its first comes with them.
func (s *session) sendRevocations(f *frame) error {
	if f == nil || !s.served {
		return nil
	}
	grown := s.revocations != nil && f.adds(s.revocations)
	if !grown && !newer(f.epoch, f.version, s.revocationEpoch, s.revocationVersion) {
		return nil
	}
	s.revocationEpoch, s.revocationVersion, s.revocations = f.epoch, f.version, f
	s.sets++
	return s.say(f.message)
}

// beatIfDue greets an agent that would hear nothing at first, too: silence means that
// something between holds the stream back.
func (s *session) beatIfDue(latest *published) error {
	behind := s.behind(latest)
	first := latest != nil && !behind && !s.beaten
	greet := !s.said && s.capability >= capabilityDelta
	if !s.beatDue && !s.watcher.hasGrown() && !first && !greet {
		return nil
	}
	return s.beat(behind || latest == nil) // nothing that is not known is confirmed
}

// behind while it is not known whether what the agent has was lost, too.
func (s *session) behind(latest *published) bool {
	return s.transfer != nil || s.presented != nil || s.lacks(latest)
}

func (s *session) beat(behind bool) error {
	settled := s.watcher.takeSettled()
	s.beatDue, s.beaten = false, s.beaten || !behind
	return s.say(&agentv1.WatchResponse{Message: &agentv1.WatchResponse_Heartbeat{Heartbeat: &agentv1.Heartbeat{
		ServerTime: timestamppb.Now(),
		Settled:    settled,
		Behind:     behind,
	}}})
}

// goAway spreads over a time when agents come back; 0: it is this one alone.
func (s *session) goAway(reason string, spread time.Duration) error {
	return s.say(&agentv1.WatchResponse{Message: &agentv1.WatchResponse_GoAway{
		GoAway: &agentv1.GoAway{Reason: reason, SpreadMs: int32(spread.Milliseconds())},
	}})
}

func (s *session) say(message *agentv1.WatchResponse) error {
	s.said = true
	return s.send(message)
}

// jitter spreads d by a fifth each way, so that streams opened together end apart.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}
