package budget

import (
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/quota"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Create begins a budget.
func Create(id uuid.UUID, s Settings, w World) ([]eventlog.Change, error) {
	s, err := s.in(w)
	if err != nil {
		return nil, err
	}
	return []eventlog.Change{{Subject: id, Body: &eventv1.BudgetCreated{Settings: s.toEvent()}}}, nil
}

// in is the settings of a budget that is new in a world.
func (s Settings) in(w World) (Settings, error) {
	if err := s.check(w); err != nil {
		return s, err
	}
	var err error
	if s.Scope, err = s.Scope.Of(w.Target); err != nil {
		return s, err
	}
	return s, w.Admit(thing, s.Name)
}

// Update changes everything but the scope. Of the world it needs the name and the
// alert channels.
func (b Budget) Update(s Settings, w World) ([]eventlog.Change, error) {
	var err error
	if s.Scope, err = b.Scope.Keep(s.Scope, thing); err != nil {
		return nil, err
	}
	if err := s.check(w); err != nil {
		return nil, err
	}
	if proto.Equal(s.toEvent(), b.toEvent()) {
		return nil, nil
	}
	if w.NameTaken {
		return nil, quota.Taken(thing, s.Name)
	}
	return []eventlog.Change{{Subject: b.ID, Body: &eventv1.BudgetUpdated{Settings: s.toEvent()}}}, nil
}

// Raise adds to the amount until the raise expires. Said twice it is true once.
func (b Budget) Raise(r Raise, now time.Time) ([]eventlog.Change, error) {
	if err := checkAmount(r.AmountNanoUSD); err != nil {
		return nil, err
	}
	if !r.ExpiresAt.After(now) || r.ExpiresAt.Sub(now) > maxRaise {
		return nil, fault.Field("expires_at", "want a time to come, at most 366 days away")
	}
	if b.Raised != nil && proto.Equal(r.toEvent(), b.Raised.toEvent()) {
		return nil, nil
	}
	return []eventlog.Change{{Subject: b.ID, Body: r.toEvent()}}, nil
}

// Archive ends budgets: one by itself, all of them with the key that they are on.
func Archive(budgets ...Budget) []eventlog.Change {
	var changes []eventlog.Change
	for _, b := range budgets {
		changes = append(changes, eventlog.Change{Subject: b.ID, Body: &eventv1.BudgetArchived{}})
	}
	return changes
}

// Restore brings an archived budget back as it was, its raise included.
func (b Budget) Restore(w World) ([]eventlog.Change, error) {
	s, err := b.in(w)
	if err != nil {
		return nil, err
	}
	restored := &eventv1.BudgetRestored{Settings: s.toEvent(), CreatedAt: timestamppb.New(b.CreatedAt)}
	if b.Raised != nil {
		restored.Raise = b.Raised.toEvent()
	}
	return []eventlog.Change{{Subject: b.ID, Body: restored}}, nil
}
