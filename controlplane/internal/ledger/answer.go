package ledger

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/quota"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

// answer is what the ledger has after all calls of the transaction.
func (b *book) answer(c *call) *agentv1.LeaseResponse {
	response := &agentv1.LeaseResponse{}
	for _, e := range c.entries {
		response.Grants = append(response.Grants, b.grant(e))
	}
	for _, d := range c.demands {
		response.Shares = append(response.Shares, d.answer())
	}
	return response
}

func (b *book) grant(e *entry) *agentv1.Grant {
	g := &agentv1.Grant{
		Window: e.holding.GetWindow(), Granted: e.told.granted, Spent: e.told.spent, Returned: e.told.returned,
		EndsInMs: proto.Int64(0), Denial: agentv1.Grant_DENIAL_GONE,
	}
	if !e.sound {
		return g
	}
	if e.account.there {
		g.Granted, g.Spent, g.Returned = e.lease.granted, e.lease.spent, e.lease.returned
	}
	if e.quota == nil {
		return g
	}
	g.Window, g.Denial, g.Limit, g.Free = e.key.window, e.denial, e.limit, e.account.free()
	g.HeldByOthers = max(0, e.account.held-e.lease.held())
	if asked := e.need+e.want > 0; asked && (!e.call.current || e.call.ended || !e.mine()) {
		g.Denial = agentv1.Grant_DENIAL_OLD_BOOT
	}
	if e.call.warned && g.Denial == 0 {
		g.Denial = agentv1.Grant_DENIAL_RESTORED
	}
	if e.span == (quota.Span{}) {
		g.EndsInMs = nil
		if !e.present {
			g.EndsInMs = proto.Int64(0)
		}
		return g
	}
	shown := e.quota.shown(e.span)
	g.StartsAt, g.EndsAt = timestamppb.New(shown.Start), timestamppb.New(shown.End)
	if e.present {
		g.EndsInMs = proto.Int64(max(1, e.span.End.Sub(b.now).Milliseconds()))
	}
	return g
}
