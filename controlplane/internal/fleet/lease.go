package fleet

import (
	"context"
	"errors"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// Leases is the ledger of quotas. Its answer has a grant for each holding and a share for
// each demand.
type Leases interface {
	Lease(ctx context.Context, agent gateway.Agent, request *agentv1.LeaseRequest) (*agentv1.LeaseResponse, error)
}

// Lease implements AgentService, in whatever process the agent reached.
func (h *Handler) Lease(ctx context.Context, req *connect.Request[agentv1.LeaseRequest]) (*connect.Response[agentv1.LeaseResponse], error) {
	agent, ok := AgentFrom(ctx)
	if !ok {
		return nil, connect.NewError(connect.CodeUnauthenticated, errors.New("agent_unknown: no agent is known to be calling"))
	}
	answer, err := h.Leases.Lease(ctx, agent, req.Msg)
	if err != nil {
		return nil, h.connectError(ctx, err)
	}
	return connect.NewResponse(answer), nil
}
