package key

import (
	"fmt"
	"regexp"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/share"
	"github.com/weirhq/weir/controlplane/internal/slug"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	maxLabels = 20
	maxLabel  = 63
)

var labelName = regexp.MustCompile(`^[a-z0-9]([a-z0-9._/-]{0,61}[a-z0-9])?$`)

// complete checks the settings and returns them in one form.
func (s Settings) complete(w World) (Settings, error) {
	if err := s.check(w); err != nil {
		return s, err
	}
	var err error
	if s.Weight, err = s.Weight.Complete(); err != nil {
		return s, err
	}
	s.Priority, err = share.CompletePriority(s.Priority)
	return s, err
}

func (s Settings) check(w World) error {
	if err := slug.Check("name", s.Name); err != nil {
		return err
	}
	for _, id := range s.RouteIDs {
		if !w.Routes[id] {
			return fault.Because(fault.NotFound, "route_not_found", "no route %s", id)
		}
	}
	if len(s.Labels) > maxLabels {
		return fault.Field("labels", "at most %d, got %d", maxLabels, len(s.Labels))
	}
	for name, value := range s.Labels {
		if !labelName.MatchString(name) || len(value) > maxLabel {
			return fault.Field(fmt.Sprintf("labels[%q]", name), "want lower-case letters, digits and inner -._/ , name and value at most %d", maxLabel)
		}
	}
	return nil
}

func expiresLater(at, now time.Time) error {
	if !at.IsZero() && !at.After(now) {
		return fault.Field("expires_at", "want a time to come")
	}
	return nil
}

func (s Settings) toEvent() *eventv1.KeyUpdated {
	e := &eventv1.KeyUpdated{Name: s.Name, Labels: s.Labels, Weight: int32(s.Weight), Priority: s.Priority}
	for _, id := range s.RouteIDs {
		e.RouteIds = append(e.RouteIds, id.String())
	}
	if !s.ExpiresAt.IsZero() {
		e.ExpiresAt = timestamppb.New(s.ExpiresAt)
	}
	return e
}

// settings is what KeyCreated and KeyUpdated have in common.
type settings interface {
	GetName() string
	GetRouteIds() []string
	GetExpiresAt() *timestamppb.Timestamp
	GetLabels() map[string]string
	GetWeight() int32
	GetPriority() eventv1.Priority
}

func fromEvent(e settings) (Settings, error) {
	s := Settings{
		Name: e.GetName(), RouteIDs: []uuid.UUID{}, ExpiresAt: timeOf(e.GetExpiresAt()), Labels: e.GetLabels(),
		Weight: share.Weight(e.GetWeight()), Priority: e.GetPriority(),
	}
	for _, text := range e.GetRouteIds() {
		id, err := uuid.Parse(text)
		if err != nil {
			return s, fmt.Errorf("route: %w", err)
		}
		s.RouteIDs = append(s.RouteIDs, id)
	}
	return s, nil
}

// timeOf keeps an absent time apart from 1970.
func timeOf(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}
