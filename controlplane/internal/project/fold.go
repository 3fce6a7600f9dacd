package project

import (
	"fmt"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/share"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Apply folds one event into the state.
func Apply(p Project, e eventlog.Event) (Project, error) {
	switch body := e.Body.(type) {
	case *eventv1.ProjectCreated:
		p = Project{ID: e.Subject, CreatedAt: e.RecordedAt}
		p.Settings = fromSettings(body)
	case *eventv1.ProjectUpdated:
		p.Settings = fromSettings(body)
	case *eventv1.ProjectRestored:
		p = Project{ID: e.Subject, CreatedAt: body.GetCreatedAt().AsTime()}
		p.Settings = fromSettings(body)
	default:
		return p, fmt.Errorf("fold project: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	p.Version = e.Version
	return p, nil
}

// settings is what the events that say all of them have in common.
type settings interface {
	GetName() string
	GetDisplayName() string
	GetWeight() int32
}

func fromSettings(s settings) Settings {
	return Settings{Name: s.GetName(), DisplayName: s.GetDisplayName(), Weight: share.Weight(s.GetWeight())}
}
