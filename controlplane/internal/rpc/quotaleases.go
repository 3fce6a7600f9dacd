package rpc

import (
	"context"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/ledger"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// WriteOffLease decides about the lease as the ledger has it now; the ledger frees what it
// has by then, in the transaction that records the decision.
func (s *quotaStandings) WriteOffLease(ctx context.Context, req *connect.Request[adminv1.WriteOffLeaseRequest]) (*connect.Response[adminv1.WriteOffLeaseResponse], error) {
	m := req.Msg
	key := ledger.LeaseKey{Subject: m.GetSubject(), Window: m.GetWindow(), Boot: m.GetBoot()}
	var err error
	if key.AgentID, err = parseID("agent_id", m.GetAgentId()); err != nil {
		return nil, err
	}
	var found ledger.Lease
	now := time.Now()
	return change(ctx, s.runner, budgetKind, req, m, func(ctx context.Context, v readmodel.View, was budget.Budget) ([]eventlog.Change, error) {
		key.QuotaID = was.ID
		if found, err = ledger.Claimed(ctx, v.Tx, v.Organization, key, now); err != nil {
			return nil, err
		}
		return was.WriteOff(budget.Lease{
			Window: found.Window, Subject: found.Subject, AgentID: found.AgentID, Boot: found.Boot, HeldNanoUSD: found.Held,
		}, m.GetReason())
	}, func(budget.Budget, []eventlog.Event) (*adminv1.WriteOffLeaseResponse, error) {
		return &adminv1.WriteOffLeaseResponse{Lease: toProtoQuotaLease(found)}, nil
	})
}

func (s *quotaStandings) ReleaseLeases(ctx context.Context, req *connect.Request[adminv1.ReleaseLeasesRequest]) (*connect.Response[adminv1.ReleaseLeasesResponse], error) {
	id, err := parseID("id", req.Msg.GetId())
	if err != nil {
		return nil, err
	}
	now := time.Now()
	return mutate(ctx, s.runner, req, func(ctx context.Context, v readmodel.View) (d command.Decision[*adminv1.ReleaseLeasesResponse], err error) {
		release, version, err := releasing(ctx, v, id)
		if err != nil {
			return d, err
		}
		wait, err := ledger.Waits(ctx, v.Tx, v.Organization, id, now)
		if err != nil {
			return d, err
		}
		if d.Version = version; len(wait.Agents) > 0 {
			d.Changes, err = release(wait.Epoch, req.Msg.GetReason())
		}
		d.Answer = func([]eventlog.Event) (*adminv1.ReleaseLeasesResponse, error) {
			return &adminv1.ReleaseLeasesResponse{
				WaitingAgentIds: toTexts(wait.Agents), KnownHeld: wait.KnownHeld, MayBeOutstanding: wait.Free,
			}, nil
		}
		return d, err
	})
}

// releasing is the decision of the budget or limit that has the id, and its version.
func releasing(ctx context.Context, v readmodel.View, id uuid.UUID) (decide func(epoch int64, reason string) ([]eventlog.Change, error), version int64, err error) {
	b, err := readmodel.Budgets.Find(ctx, v, id)
	if err == nil {
		return b.ReleaseLeases, b.Version, nil
	}
	if !fault.Is(err, fault.NotFound) {
		return nil, 0, err
	}
	l, err := readmodel.Limits.Find(ctx, v, id)
	if fault.Is(err, fault.NotFound) {
		err = noQuota(id)
	}
	return l.ReleaseLeases, l.Version, err
}
