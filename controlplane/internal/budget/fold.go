package budget

import (
	"fmt"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Apply folds one event into the state.
func Apply(b Budget, e eventlog.Event) (Budget, error) {
	var err error
	switch body := e.Body.(type) {
	case *eventv1.BudgetCreated:
		b = Budget{ID: e.Subject, CreatedAt: e.RecordedAt}
		b.Settings, err = fromEvent(body.GetSettings())
	case *eventv1.BudgetUpdated:
		b.Settings, err = fromEvent(body.GetSettings())
	case *eventv1.BudgetRaised:
		b.Raised = raiseFromEvent(body)
	case *eventv1.BudgetRestored:
		b = Budget{ID: e.Subject, CreatedAt: body.GetCreatedAt().AsTime(), Raised: raiseFromEvent(body.GetRaise())}
		b.Settings, err = fromEvent(body.GetSettings())
	case *eventv1.BudgetLeaseWrittenOff, *eventv1.BudgetLeasesReleased: // for the ledger
	default:
		err = eventlog.ErrUnknownKind
	}
	if err != nil {
		return b, fmt.Errorf("fold budget %s: %s: %w", e.Subject, e.Kind, err)
	}
	b.Version = e.Version
	return b, nil
}
