package control

import (
	"context"
	"errors"

	"connectrpc.com/connect"

	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// errNotEnrolled: the control plane knows no such agent yet.
var errNotEnrolled = errors.New("the agent is not enrolled")

// Lease asks the ledger of quotas, once the agent is enrolled and as long as it is not
// revoked. Errors are those of the call.
func (c *Client) Lease(ctx context.Context, request *agentv1.LeaseRequest) (*agentv1.LeaseResponse, error) {
	if _, enrolled := c.Identity(); !enrolled {
		return nil, errNotEnrolled
	}
	if err := c.Revoked(); err != nil {
		return nil, err
	}
	answer, err := c.service.Lease(ctx, connect.NewRequest(request))
	if err != nil {
		c.noteRevoked(err)
		return nil, err
	}
	return answer.Msg, nil
}
