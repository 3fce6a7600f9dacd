package limit

import (
	"fmt"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/quota"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Apply folds one event into the state.
func Apply(l Limit, e eventlog.Event) (Limit, error) {
	var err error
	switch body := e.Body.(type) {
	case *eventv1.LimitCreated:
		l = Limit{ID: e.Subject, CreatedAt: e.RecordedAt}
		l.Settings, err = fromEvent(body.GetSettings())
	case *eventv1.LimitUpdated:
		l.Settings, err = fromEvent(body.GetSettings())
	case *eventv1.LimitRestored:
		l = Limit{ID: e.Subject, CreatedAt: body.GetCreatedAt().AsTime()}
		l.Settings, err = fromEvent(body.GetSettings())
	case *eventv1.LimitLeasesReleased: // for the ledger
	default:
		err = eventlog.ErrUnknownKind
	}
	if err != nil {
		return l, fmt.Errorf("fold limit %s: %s: %w", e.Subject, e.Kind, err)
	}
	l.Version = e.Version
	return l, nil
}

func (s Settings) toEvent() *eventv1.LimitSettings {
	return &eventv1.LimitSettings{
		Name: s.Name, Scope: s.Scope.ToEvent(), Metric: s.Metric, Amount: s.Amount, Window: s.Window, Mode: s.Mode, WhenUnreachable: s.WhenUnreachable,
	}
}

func fromEvent(e *eventv1.LimitSettings) (Settings, error) {
	scope, err := quota.FromEvent(e.GetScope())
	return Settings{
		Name: e.GetName(), Scope: scope, Metric: e.GetMetric(), Amount: e.GetAmount(), Window: e.GetWindow(), Mode: e.GetMode(),
		WhenUnreachable: e.GetWhenUnreachable(),
	}, err
}
