package route

import (
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Create begins a route. An unspecified strategy becomes SINGLE.
func Create(id uuid.UUID, s Settings, w World) ([]eventlog.Change, error) {
	s, err := s.complete(w)
	if err != nil {
		return nil, err
	}
	if w.NameTaken {
		return nil, taken(s.Name)
	}
	e := s.toEvent()
	return []eventlog.Change{{Subject: id, Body: &eventv1.RouteCreated{
		Name: e.Name, Strategy: e.Strategy, Targets: e.Targets, Timeouts: e.Timeouts, AllowedProjectIds: e.AllowedProjectIds,
		Retry: e.Retry, Strict: e.Strict, Sticky: e.Sticky, Hedge: e.Hedge, Canary: e.Canary, Shadow: e.Shadow,
	}}}, nil
}

// Draft is a route that is not stored, as Create or Update would have it.
func Draft(id uuid.UUID, s Settings, w World) (Route, error) {
	s, err := s.complete(w)
	if err == nil && w.NameTaken {
		err = taken(s.Name)
	}
	return Route{ID: id, Settings: s}, err
}

// Update changes the settings.
func (r Route) Update(s Settings, w World) ([]eventlog.Change, error) {
	s, err := s.complete(w)
	if err != nil {
		return nil, err
	}
	if proto.Equal(s.toEvent(), r.toEvent()) {
		return nil, nil
	}
	if w.NameTaken {
		return nil, taken(s.Name)
	}
	return []eventlog.Change{{Subject: r.ID, Body: &eventv1.RouteUpdated{Settings: s.toEvent()}}}, nil
}

// Archive ends a route that no key and no quota names any more.
func (r Route) Archive(uses []fault.Use) ([]eventlog.Change, error) {
	if len(uses) > 0 {
		return nil, fault.InUse("route", r.Name, uses)
	}
	return []eventlog.Change{{Subject: r.ID, Body: &eventv1.RouteArchived{}}}, nil
}

// Restore brings an archived route back as it was, where what it stands on is there.
func (r Route) Restore(w World) ([]eventlog.Change, error) {
	s, err := r.complete(w)
	if err != nil {
		return nil, err
	}
	if w.NameTaken {
		return nil, taken(s.Name)
	}
	return []eventlog.Change{{Subject: r.ID, Body: &eventv1.RouteRestored{
		Settings: s.toEvent(), CreatedAt: timestamppb.New(r.CreatedAt),
	}}}, nil
}

func taken(name string) error {
	return fault.Because(fault.Conflict, "name_taken", "a route named %q exists", name)
}
