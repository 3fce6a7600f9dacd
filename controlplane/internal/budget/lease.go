package budget

import (
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Lease is what one start of an agent holds of one window of the budget, as the ledger
// has it.
type Lease struct {
	// Window as the ledger names it.
	Window string
	// Subject is which end user or label value, where the budget counts each apart.
	Subject string
	AgentID uuid.UUID
	Boot    string
	// HeldNanoUSD is what was granted and is neither spent nor given back.
	HeldNanoUSD int64
}

// WriteOff frees what a lease holds, for good: what its agent spends of it all the same is
// overrun. A lease that holds nothing is left as it is.
func (b Budget) WriteOff(l Lease, reason string) ([]eventlog.Change, error) {
	if l.Window == "" || l.AgentID == uuid.Nil || l.Boot == "" {
		return nil, fault.Field("lease", "want its window, agent and boot")
	}
	if l.HeldNanoUSD <= 0 {
		return nil, nil
	}
	return []eventlog.Change{{Subject: b.ID, Body: &eventv1.BudgetLeaseWrittenOff{
		Window: l.Window, Subject: l.Subject, AgentId: l.AgentID.String(), Boot: l.Boot, HeldNanoUsd: l.HeldNanoUSD, Reason: reason,
	}}}, nil
}

// ReleaseLeases lets the budget grant again although not every agent has told the restored
// ledger what it holds. epoch is that of the restore.
func (b Budget) ReleaseLeases(epoch int64, reason string) ([]eventlog.Change, error) {
	if epoch < 1 {
		return nil, fault.Because(fault.Precondition, "not_restored", "the ledger was never restored; no agent is waited for")
	}
	return []eventlog.Change{{Subject: b.ID, Body: &eventv1.BudgetLeasesReleased{Epoch: epoch, Reason: reason}}}, nil
}
