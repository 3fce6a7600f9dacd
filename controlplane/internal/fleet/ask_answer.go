package fleet

import (
	"context"
	"errors"
	"fmt"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fault"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// maxAnswerBytes bounds an answer.
const maxAnswerBytes = 64 << 10

// Answer implements AgentService, in whatever process the agent reached.
func (h *Handler) Answer(ctx context.Context, req *connect.Request[agentv1.AnswerRequest]) (*connect.Response[agentv1.AnswerResponse], error) {
	agent, ok := AgentFrom(ctx)
	if !ok {
		return nil, connect.NewError(connect.CodeUnauthenticated, errors.New("agent_unknown: no agent is known to be calling"))
	}
	id, err := uuid.Parse(req.Msg.GetAskId())
	if err != nil {
		return nil, connect.NewError(connect.CodeInvalidArgument, errors.New("ask_id: want a UUID"))
	}
	answer, err := proto.Marshal(req.Msg)
	if err != nil {
		return nil, h.connectError(ctx, fmt.Errorf("encode an answer: %w", err))
	}
	kept, err := h.Asks.Answer(ctx, AskTaking{AskRef{agent.OrganizationID, id}, agent.ID}, answer)
	if err != nil {
		return nil, h.connectError(ctx, err)
	}
	if !kept {
		return nil, h.connectError(ctx, fault.Because(fault.NotFound, "ask_unknown", "nobody waits for an answer of this agent to %s", id))
	}
	return connect.NewResponse(&agentv1.AnswerResponse{}), nil
}
