package fleet

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// sendTimeout bounds one message to an agent that does not read.
const sendTimeout = time.Minute

// Watch implements AgentService: what the agent lacks, then every change.
func (h *Handler) Watch(ctx context.Context, req *connect.Request[agentv1.WatchRequest], stream *connect.ServerStream[agentv1.WatchResponse]) error {
	agent, ok := AgentFrom(ctx)
	if !ok {
		return connect.NewError(connect.CodeUnauthenticated, errors.New("agent_unknown: no agent is known to be calling"))
	}
	if strings.HasSuffix(req.Header().Get("Content-Type"), "json") {
		return connect.NewError(connect.CodeUnimplemented, errors.New("watch speaks binary protobuf only"))
	}
	w, f, leave, ok := h.hub.join(agent, req.Msg.GetCapability())
	if !ok {
		return connect.NewError(connect.CodeUnavailable, errors.New("shutting down"))
	}
	defer leave()
	defer h.putBackAsks(w)
	if now, known := h.Authenticator.agents.recall(agent.ID); known && now.Revoked() {
		return h.connectError(ctx, now.Refused()) // revoked between its authentication and this stream
	}
	s := newSession(req.Msg, w, f, stream)
	s.deadline = deadlineFrom(ctx)
	return s.run(ctx, h.Timing, h.hub.draining)
}

// session is one stream: what was sent on it decides what is sent next.
type session struct {
	watcher  *watcher
	feed     *feed
	stream   *connect.ServerStream[agentv1.WatchResponse]
	deadline *http.ResponseController

	served            bool // the agent has a policy
	epoch, version    int64
	revocationEpoch   int64
	revocationVersion int64
	rejected          []byte
	beatDue           bool
	beaten            bool
}

func newSession(req *agentv1.WatchRequest, w *watcher, f *feed, stream *connect.ServerStream[agentv1.WatchResponse]) *session {
	have := req.GetHave()
	return &session{
		watcher: w, feed: f, stream: stream,
		served:            have != nil,
		epoch:             have.GetEpoch(),
		version:           have.GetVersion(),
		revocationEpoch:   have.GetEpoch(),
		revocationVersion: have.GetRevocationVersion(),
		rejected:          req.GetRejectedRoot(),
	}
}

func (s *session) run(ctx context.Context, timing Timing, draining <-chan struct{}) error {
	beat := time.NewTicker(timing.Heartbeat)
	defer beat.Stop()
	age := time.NewTimer(jitter(timing.StreamAge))
	defer age.Stop()
	for {
		if err := s.catchUp(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.watcher.ended:
			return s.goAway("the agent was revoked") // it comes back, and is refused with the reason
		case <-draining:
			return s.goAway("the control plane shuts down")
		case <-age.C:
			return s.goAway("the stream is old")
		case <-beat.C:
			s.beatDue = true
		case <-s.watcher.wake:
		}
	}
}

// catchUp sends revocations before anything else, then the policy. The first
// heartbeat follows the first look at the policy: it confirms what the agent has.
func (s *session) catchUp() error {
	revocations, snapshot := s.feed.current()
	if err := s.sendRevocations(revocations); err != nil {
		return err
	}
	if err := s.sendSnapshot(snapshot); err != nil {
		return err
	}
	if err := s.sendAsks(); err != nil {
		return err
	}
	settled, grown := s.watcher.takeSettled()
	first := snapshot != nil && !s.beaten
	if !s.beatDue && !grown && !first {
		return nil
	}
	s.beatDue, s.beaten = false, s.beaten || snapshot != nil
	return s.send(&agentv1.WatchResponse{Message: &agentv1.WatchResponse_Heartbeat{Heartbeat: &agentv1.Heartbeat{
		ServerTime: timestamppb.Now(),
		Settled:    settled,
	}}})
}

// sendRevocations leaves an agent without a policy alone: its first comes with them.
func (s *session) sendRevocations(f *frame) error {
	if f == nil || !s.served || !newer(f.epoch, f.version, s.revocationEpoch, s.revocationVersion) {
		return nil
	}
	s.revocationEpoch, s.revocationVersion = f.epoch, f.version
	return s.send(f.message)
}

func (s *session) sendSnapshot(f *snapshotFrame) error {
	if f == nil || bytes.Equal(f.release.Root, s.rejected) || s.served && !newer(f.epoch, f.version, s.epoch, s.version) {
		return nil
	}
	s.served, s.epoch, s.version = true, f.epoch, f.version
	if newer(f.revocationEpoch, f.revocationVersion, s.revocationEpoch, s.revocationVersion) {
		s.revocationEpoch, s.revocationVersion = f.revocationEpoch, f.revocationVersion
	}
	if err := s.send(f.message); err != nil {
		return err
	}
	revocations, _ := s.feed.current()
	return s.sendRevocations(revocations) // a set that grew while the policy was compiled
}

func (s *session) goAway(reason string) error {
	return s.send(&agentv1.WatchResponse{Message: &agentv1.WatchResponse_GoAway{GoAway: &agentv1.GoAway{Reason: reason}}})
}

func (s *session) send(message *agentv1.WatchResponse) error {
	if s.deadline != nil {
		_ = s.deadline.SetWriteDeadline(time.Now().Add(sendTimeout)) // not every writer has deadlines
		defer func() { _ = s.deadline.SetWriteDeadline(time.Time{}) }()
	}
	return s.stream.Send(message)
}

// jitter spreads d by a fifth each way, so that streams opened together end apart.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}
