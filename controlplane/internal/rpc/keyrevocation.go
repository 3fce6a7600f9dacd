package rpc

import (
	"context"
	"time"

	"connectrpc.com/connect"

	"github.com/weirhq/weir/controlplane/internal/authn"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// maxReceipts bounds one answer.
const maxReceipts = 1000

func (s *keys) GetKeyRevocation(ctx context.Context, req *connect.Request[adminv1.GetKeyRevocationRequest]) (*connect.Response[adminv1.GetKeyRevocationResponse], error) {
	caller, ok := authn.From(ctx)
	if !ok {
		return nil, errNoCaller
	}
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	within, err := reachOf(ctx, req.Msg)
	if err != nil {
		return nil, err
	}
	var found key.Key
	err = s.store.Read(ctx, caller.OrganizationID, func(v readmodel.View) (err error) {
		found, err = keyKind.find(ctx, v, within, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	at, version, err := revocationOf(found, req.Msg.GetPreviousSecret())
	if err != nil {
		return nil, err
	}
	reach, err := s.agents.RevocationReach(ctx, fleet.Revoked{
		OrganizationID: caller.OrganizationID, Version: version, KeyMadeAt: found.CreatedAt,
	}, maxReceipts)
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&adminv1.GetKeyRevocationResponse{
		RevokedAt: toTimestamp(at), Version: version, Complete: reach.Applied == reach.Agents,
		Agents: reach.Agents, AgentsApplied: reach.Applied, Receipts: convertAll(reach.List, toProtoReceipt),
	}), nil
}

// revocationOf is when and with which version of the log the key was revoked, or its
// secret before the last rotation.
func revocationOf(k key.Key, previous bool) (time.Time, int64, error) {
	if !previous && k.RevokedAt.IsZero() {
		return time.Time{}, 0, fault.Because(fault.Precondition, "key_not_revoked", "the key %q lives; RevokeKey ends it", k.Name)
	}
	if !previous {
		return k.RevokedAt, k.RevokedVersion, nil
	}
	ended, ok := k.PreviousEnded()
	switch {
	case ok:
		return ended.At, ended.Version, nil
	case k.Previous != nil && !time.Now().Before(k.Previous.ExpiresAt):
		return time.Time{}, 0, fault.Because(fault.Precondition, "overlap_not_ended", "the old secret of the key %q ended by its time, at %s: agents know that from their policy, by their own clock", k.Name, k.Previous.ExpiresAt.UTC().Format(time.RFC3339))
	default:
		return time.Time{}, 0, fault.Because(fault.Precondition, "overlap_not_ended", "the key %q has no overlap that was ended; EndKeyOverlap ends one", k.Name)
	}
}

func toProtoReceipt(r fleet.Reached) *adminv1.RevocationReceipt {
	return &adminv1.RevocationReceipt{
		AgentId: r.AgentID.String(), GatewayId: r.GatewayID.String(), AgentName: r.Name,
		AppliedAt: toTimestamp(r.AppliedAt), LastSeenAt: toTimestamp(r.LastSeenAt), AgentRevokedAt: toTimestamp(r.RevokedAt),
	}
}
