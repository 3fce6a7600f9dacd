package route

import (
	"fmt"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Apply folds one event into the state.
func Apply(r Route, e eventlog.Event) (Route, error) {
	var err error
	switch body := e.Body.(type) {
	case *eventv1.RouteCreated:
		r = Route{ID: e.Subject, CreatedAt: e.RecordedAt}
		r.Settings, err = fromEvent(body)
	case *eventv1.RouteUpdated:
		r.Settings, err = fromEvent(body.GetSettings())
	case *eventv1.RouteRestored:
		r = Route{ID: e.Subject, CreatedAt: body.GetCreatedAt().AsTime()}
		r.Settings, err = fromEvent(body.GetSettings())
	default:
		err = eventlog.ErrUnknownKind
	}
	if err != nil {
		return r, fmt.Errorf("fold route %s: %s: %w", e.Subject, e.Kind, err)
	}
	r.Version = e.Version
	return r, nil
}
