package provider

import (
	"fmt"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Apply folds one event into the state.
func Apply(p Provider, e eventlog.Event) (Provider, error) {
	var err error
	switch body := e.Body.(type) {
	case *eventv1.ProviderCreated:
		p = Provider{ID: e.Subject, Settings: fromEvent(body), CreatedAt: e.RecordedAt}
	case *eventv1.ProviderUpdated:
		p.Settings, err = fromSettings(body.GetSettings())
	case *eventv1.ProviderRestored:
		p = Provider{ID: e.Subject, CreatedAt: body.GetCreatedAt().AsTime()}
		p.Settings, err = fromSettings(body.GetSettings())
	default:
		return p, fmt.Errorf("fold provider: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	if err != nil {
		return p, fmt.Errorf("fold provider %s: %w", e.Subject, err)
	}
	p.Version = e.Version
	return p, nil
}
