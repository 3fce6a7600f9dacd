package fleet

import (
	"context"
	"crypto/sha256"
	"errors"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/fault"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// Enroll implements AgentService.
func (h *Handler) Enroll(ctx context.Context, req *connect.Request[agentv1.EnrollRequest]) (*connect.Response[agentv1.EnrollResponse], error) {
	hash := sha256.Sum256([]byte(req.Msg.GetToken()))
	agent, err := h.Enroller.EnrolAgent(ctx, hash, req.Msg.GetPublicKey(), req.Msg.GetName())
	if err != nil {
		return nil, h.connectError("enrol agent", err)
	}
	keys, err := h.Keys.PublicKeys(ctx, agent.OrganizationID)
	if err != nil {
		return nil, h.connectError("enrol agent", err)
	}
	pinned := make([]*agentv1.SigningKey, len(keys))
	for i, k := range keys {
		pinned[i] = &agentv1.SigningKey{Id: k.ID, PublicKey: k.Key}
	}
	h.Log.Info("agent enrolled", "organization_id", agent.OrganizationID, "gateway_id", agent.GatewayID, "agent_id", agent.ID)
	return connect.NewResponse(&agentv1.EnrollResponse{
		AgentId:        agent.ID.String(),
		OrganizationId: agent.OrganizationID.String(),
		GatewayId:      agent.GatewayID.String(),
		SigningKeys:    pinned,
		ServerTime:     timestamppb.Now(),
	}), nil
}

var codes = map[fault.Kind]connect.Code{
	fault.Invalid:         connect.CodeInvalidArgument,
	fault.Unauthenticated: connect.CodeUnauthenticated,
	fault.Denied:          connect.CodePermissionDenied,
	fault.NotFound:        connect.CodeNotFound,
	fault.Conflict:        connect.CodeAlreadyExists,
	fault.Precondition:    connect.CodeFailedPrecondition,
	fault.Aborted:         connect.CodeAborted,
	fault.Exhausted:       connect.CodeResourceExhausted,
	fault.Unavailable:     connect.CodeUnavailable,
	fault.Unimplemented:   connect.CodeUnimplemented,
}

// connectError shows faults to the agent; everything else is logged under a
// reference, and only that is shown.
func (h *Handler) connectError(doing string, err error) error {
	var known *fault.Error
	if !errors.As(err, &known) {
		reference := uuid.NewString()
		h.Log.Error("internal error", "doing", doing, "error", err, "reference", reference)
		return connect.NewError(connect.CodeInternal, errors.New("internal error, reference "+reference))
	}
	message := known.Message
	if known.Reason != "" {
		message = known.Reason + ": " + message
	}
	shown := connect.NewError(codes[known.Kind], errors.New(message))
	if known.Reason != "" {
		shown.Meta().Set(ReasonHeader, known.Reason)
	}
	return shown
}
