package fleet

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// sendTimeout bounds one message to an agent that does not read.
const sendTimeout = time.Minute

// Watch implements AgentService: what the agent lacks, then every change.
func (h *Handler) Watch(ctx context.Context, req *connect.Request[agentv1.WatchRequest], stream *connect.ServerStream[agentv1.WatchResponse]) error {
	s, leave, err := h.join(ctx, req.Header(), req.Msg)
	if err != nil {
		return err
	}
	defer leave()
	s.send, s.sent = sendWithin(deadlineFrom(ctx), stream), (*ticket).leave
	return s.run(ctx, h.Timing, h.hub.draining)
}

// Poll implements AgentService: what the agent lacks, or the first change that comes.
func (h *Handler) Poll(ctx context.Context, req *connect.Request[agentv1.PollRequest]) (*connect.Response[agentv1.PollResponse], error) {
	s, leave, err := h.join(ctx, req.Header(), req.Msg.GetWatch())
	if err != nil {
		return nil, err
	}
	defer leave()
	answer := &agentv1.PollResponse{}
	s.send = func(message *agentv1.WatchResponse) error {
		answer.Messages = append(answer.Messages, message)
		return nil
	}
	s.sent = func(t *ticket) { context.AfterFunc(ctx, t.leave) } // the answer is on its way until then
	if err := s.poll(ctx, time.Duration(req.Msg.GetWaitMs())*time.Millisecond, h.hub.draining); err != nil {
		return nil, err
	}
	s.watcher.deliveredAsks()
	return connect.NewResponse(answer), nil
}

// join begins a session of the agent that calls; leave ends it.
func (h *Handler) join(ctx context.Context, header http.Header, req *agentv1.WatchRequest) (s *session, leave func(), err error) {
	agent, ok := AgentFrom(ctx)
	if !ok {
		return nil, nil, connect.NewError(connect.CodeUnauthenticated, errors.New("agent_unknown: no agent is known to be calling"))
	}
	if strings.HasSuffix(header.Get("Content-Type"), "json") {
		return nil, nil, connect.NewError(connect.CodeUnimplemented, errors.New("policies are sent as binary protobuf only"))
	}
	w, part, ok := h.hub.join(agent, req.GetCapability())
	if !ok {
		return nil, nil, connect.NewError(connect.CodeUnavailable, errors.New("shutting down"))
	}
	if now, known := h.Authenticator.agents.recall(agent.ID); known && now.Revoked() {
		part()
		return nil, nil, h.connectError(ctx, now.Refused()) // revoked between its authentication and this call
	}
	s = newSession(req, w, h.hub.admission)
	return s, func() { s.close(); part(); h.putBackAsks(w) }, nil
}

func sendWithin(deadline *http.ResponseController, stream *connect.ServerStream[agentv1.WatchResponse]) func(*agentv1.WatchResponse) error {
	return func(message *agentv1.WatchResponse) error {
		if deadline != nil {
			_ = deadline.SetWriteDeadline(time.Now().Add(sendTimeout)) // not every writer has deadlines
			defer func() { _ = deadline.SetWriteDeadline(time.Time{}) }()
		}
		return stream.Send(message)
	}
}
