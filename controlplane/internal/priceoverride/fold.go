package priceoverride

import (
	"fmt"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Apply folds one event into the state.
func Apply(p PriceOverride, e eventlog.Event) (PriceOverride, error) {
	switch body := e.Body.(type) {
	case *eventv1.PriceOverrideCreated:
		p = PriceOverride{ID: e.Subject, CreatedAt: e.RecordedAt, Settings: fromEvent(body.GetSettings())}
	case *eventv1.PriceOverrideUpdated:
		p.Settings = fromEvent(body.GetSettings())
	case *eventv1.PriceOverrideRestored:
		p = PriceOverride{ID: e.Subject, CreatedAt: body.GetCreatedAt().AsTime(), Settings: fromEvent(body.GetSettings())}
	default:
		return p, fmt.Errorf("fold price override: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	p.Version = e.Version
	return p, nil
}
