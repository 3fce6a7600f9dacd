package organization

import (
	"fmt"
	"time"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Apply folds one event into the state.
func Apply(o Organization, e eventlog.Event) (Organization, error) {
	switch body := e.Body.(type) {
	case *eventv1.OrganizationCreated:
		o = Organization{ID: e.Subject, CreatedAt: e.RecordedAt}
		o.Settings = Settings{Name: body.GetName(), DisplayName: body.GetDisplayName()}
	case *eventv1.OrganizationUpdated:
		o.Settings = Settings{
			Name: body.GetName(), DisplayName: body.GetDisplayName(), AllowedRegions: body.GetAllowedRegions(),
			Usage: usageFromProto(body.GetUsage()), Pricing: pricingFromProto(body.GetPricing()),
		}
	case *eventv1.OrganizationSuspended:
		o.SuspendedAt, o.SuspensionReason = e.RecordedAt, body.GetReason()
	case *eventv1.OrganizationResumed:
		o.SuspendedAt, o.SuspensionReason = time.Time{}, ""
	default:
		return o, fmt.Errorf("fold organization: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	o.Version = e.Version
	return o, nil
}
