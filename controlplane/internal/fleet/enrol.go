package fleet

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/wire"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// Enroll implements AgentService.
func (h *Handler) Enroll(ctx context.Context, req *connect.Request[agentv1.EnrollRequest]) (*connect.Response[agentv1.EnrollResponse], error) {
	hash := sha256.Sum256([]byte(req.Msg.GetToken()))
	agent, err := h.Enroller.EnrolAgent(ctx, hash, req.Msg.GetPublicKey(), req.Msg.GetName())
	if err != nil {
		return nil, h.connectError(ctx, fmt.Errorf("enrol agent: %w", err))
	}
	keys, err := h.Keys.Current(ctx, agent.OrganizationID)
	if err != nil {
		return nil, h.connectError(ctx, fmt.Errorf("enrol agent: %w", err))
	}
	pinned := make([]*agentv1.SigningKey, len(keys.Believed))
	for i, k := range keys.Believed {
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

// connectError names a fault's reason in a header, too: agents read it there.
func (h *Handler) connectError(ctx context.Context, err error) error {
	shown := wire.Error(ctx, h.Log, err)
	if known := (*fault.Error)(nil); errors.As(err, &known) && known.Reason != "" {
		shown.Meta().Set(ReasonHeader, known.Reason)
	}
	return shown
}
