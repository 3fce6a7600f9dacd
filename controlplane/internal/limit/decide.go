package limit

import (
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/quota"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Create begins a limit.
func Create(id uuid.UUID, s Settings, w quota.World) ([]eventlog.Change, error) {
	s, err := s.in(w)
	if err != nil {
		return nil, err
	}
	return []eventlog.Change{{Subject: id, Body: &eventv1.LimitCreated{Settings: s.toEvent()}}}, nil
}

// in is the settings of a limit that is new in a world.
func (s Settings) in(w quota.World) (Settings, error) {
	if err := s.check(); err != nil {
		return s, err
	}
	var err error
	if s.Scope, err = s.Scope.Of(w.Target); err != nil {
		return s, err
	}
	return s, w.Admit(thing, s.Name)
}

// Update changes how much, and how it is meant. nameTaken: another limit of the
// organization has the new name.
func (l Limit) Update(s Settings, nameTaken bool) ([]eventlog.Change, error) {
	var err error
	if s.Scope, err = l.Scope.Keep(s.Scope, thing); err != nil {
		return nil, err
	}
	if s.Metric != l.Metric {
		return nil, fault.Field("metric", "it can't change; make another limit")
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	if proto.Equal(s.toEvent(), l.toEvent()) {
		return nil, nil
	}
	if nameTaken {
		return nil, quota.Taken(thing, s.Name)
	}
	return []eventlog.Change{{Subject: l.ID, Body: &eventv1.LimitUpdated{Settings: s.toEvent()}}}, nil
}

// Archive ends limits: one by itself, all of them with the key that they are on.
func Archive(limits ...Limit) []eventlog.Change {
	var changes []eventlog.Change
	for _, l := range limits {
		changes = append(changes, eventlog.Change{Subject: l.ID, Body: &eventv1.LimitArchived{}})
	}
	return changes
}

// Restore brings an archived limit back as it was.
func (l Limit) Restore(w quota.World) ([]eventlog.Change, error) {
	s, err := l.in(w)
	if err != nil {
		return nil, err
	}
	return []eventlog.Change{{
		Subject: l.ID,
		Body:    &eventv1.LimitRestored{Settings: s.toEvent(), CreatedAt: timestamppb.New(l.CreatedAt)},
	}}, nil
}

// ReleaseLeases lets the limit grant again although not every agent has told the restored
// ledger what it holds. epoch is that of the restore.
func (l Limit) ReleaseLeases(epoch int64, reason string) ([]eventlog.Change, error) {
	if epoch < 1 {
		return nil, fault.Because(fault.Precondition, "not_restored", "the ledger was never restored; no agent is waited for")
	}
	return []eventlog.Change{{Subject: l.ID, Body: &eventv1.LimitLeasesReleased{Epoch: epoch, Reason: reason}}}, nil
}
