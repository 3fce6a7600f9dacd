package route

import (
	"fmt"
	"regexp"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/timeouts"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const maxProjects = 1000

var nameForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._:/-]{0,126}[A-Za-z0-9])?$`)

// complete checks the settings in a world; an unspecified strategy becomes SINGLE.
func (s Settings) complete(w World) (Settings, error) {
	if s.Strategy == eventv1.Strategy_STRATEGY_UNSPECIFIED {
		s.Strategy = eventv1.Strategy_STRATEGY_SINGLE
	}
	if !nameForm.MatchString(s.Name) {
		return s, fault.Field("name", "want letters, digits and inner -._:/ , at most 128; got %q", s.Name)
	}
	if err := s.checkTargets(w); err != nil {
		return s, err
	}
	if len(s.AllowedProjectIDs) > maxProjects {
		return s, fault.Field("allowed_project_ids", "at most %d, got %d", maxProjects, len(s.AllowedProjectIDs))
	}
	for i, id := range s.AllowedProjectIDs {
		if !w.Projects[id] {
			return s, fault.Because(fault.NotFound, "project_not_found", "allowed_project_ids[%d]: no project %s", i, id)
		}
	}
	if err := s.Retry.check(); err != nil {
		return s, err
	}
	if err := s.checkStrategies(); err != nil {
		return s, err
	}
	s.Sticky = s.Sticky.canonical()
	return s, s.Timeouts.Check()
}

func (s Settings) toEvent() *eventv1.RouteSettings {
	e := &eventv1.RouteSettings{
		Name: s.Name, Strategy: s.Strategy, Timeouts: s.Timeouts.ToEvent(), Retry: s.Retry.toEvent(), Strict: s.Strict,
		Sticky: s.Sticky.toEvent(), Hedge: s.Hedge.toEvent(), Canary: s.Canary.toEvent(), Shadow: s.Shadow.toEvent(),
	}
	for _, t := range s.Targets {
		e.Targets = append(e.Targets, t.toEvent())
	}
	for _, id := range s.AllowedProjectIDs {
		e.AllowedProjectIds = append(e.AllowedProjectIds, id.String())
	}
	return e
}

// settings is what RouteCreated and RouteSettings have in common.
type settings interface {
	GetName() string
	GetStrategy() eventv1.Strategy
	GetTargets() []*eventv1.Target
	GetTimeouts() *eventv1.Timeouts
	GetAllowedProjectIds() []string
	GetRetry() *eventv1.Retry
	GetStrict() bool
	GetSticky() *eventv1.Sticky
	GetHedge() *eventv1.Hedge
	GetCanary() *eventv1.Share
	GetShadow() *eventv1.Share
}

func fromEvent(e settings) (Settings, error) {
	s := Settings{
		Name: e.GetName(), Strategy: e.GetStrategy(), Targets: []Target{}, Timeouts: timeouts.FromEvent(e.GetTimeouts()),
		Retry: retryFromEvent(e.GetRetry()), Strict: e.GetStrict(),
		Sticky: stickyFromEvent(e.GetSticky()), Hedge: hedgeFromEvent(e.GetHedge()),
	}
	for _, t := range e.GetTargets() {
		target, err := targetFromEvent(t)
		if err != nil {
			return s, err
		}
		s.Targets = append(s.Targets, target)
	}
	var err error
	if s.Canary, err = shareFromEvent(e.GetCanary()); err != nil {
		return s, err
	}
	if s.Shadow, err = shareFromEvent(e.GetShadow()); err != nil {
		return s, err
	}
	for _, text := range e.GetAllowedProjectIds() {
		id, err := uuid.Parse(text)
		if err != nil {
			return s, fmt.Errorf("allowed project: %w", err)
		}
		s.AllowedProjectIDs = append(s.AllowedProjectIDs, id)
	}
	return s, nil
}
