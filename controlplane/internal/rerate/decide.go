package rerate

import (
	"fmt"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Creation is what Start needs.
type Creation struct {
	ID uuid.UUID
	Settings
	// Running: another one of the organization is not done.
	Running bool
}

// Times that stores take.
const firstYear, lastYear = 2000, 2100

// Check tells what of the settings does not fit.
func (s Settings) Check() error {
	switch {
	case s.From.Year() < firstYear || s.From.Year() > lastYear:
		return fault.Field("from", "want a time from %d to %d", firstYear, lastYear)
	case !s.From.Before(s.Until):
		return fault.Field("until", "must be after from")
	case s.Until.Sub(s.From) > Longest:
		return fault.Field("until", "is more than %d days after from", int(Longest.Hours()/24))
	case strings.TrimSpace(s.Reason) == "":
		return fault.Field("reason", "say why; the log keeps it")
	}
	return nil
}

// Start begins a re-rate. One at a time: each counts from what those before came to.
func Start(c Creation) ([]eventlog.Change, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if c.Running {
		return nil, fault.Because(fault.Precondition, "rerate_running", "another re-rate is running; wait until it is done")
	}
	body := &eventv1.RerateStarted{
		From: timestamppb.New(c.From), Until: timestamppb.New(c.Until), Model: c.Model,
		BuiltinVersion: c.Book.Builtin, PriceOverridesVersion: c.Book.Overrides,
		CoveredUntil: timestamppb.New(c.CoveredUntil), PriceUnpriced: c.PriceUnpriced, Reason: c.Reason,
	}
	if c.ProjectID != uuid.Nil {
		body.ProjectId = c.ProjectID.String()
	}
	if c.ProviderID != uuid.Nil {
		body.ProviderId = c.ProviderID.String()
	}
	return []eventlog.Change{{Subject: c.ID, Body: body}}, nil
}

// Apply folds one event into the state.
func Apply(r Rerate, e eventlog.Event) (Rerate, error) {
	body, ok := e.Body.(*eventv1.RerateStarted)
	if !ok {
		return r, fmt.Errorf("fold re-rate: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	r = Rerate{ID: e.Subject, CreatedAt: e.RecordedAt, Version: e.Version, Settings: Settings{
		From: body.GetFrom().AsTime(), Until: body.GetUntil().AsTime(), Model: body.GetModel(),
		Book:         Book{Builtin: body.GetBuiltinVersion(), Overrides: body.GetPriceOverridesVersion()},
		CoveredUntil: body.GetCoveredUntil().AsTime(), PriceUnpriced: body.GetPriceUnpriced(), Reason: body.GetReason(),
	}}
	r.ProjectID, _ = uuid.Parse(body.GetProjectId()) // uuid.Nil where there is none
	r.ProviderID, _ = uuid.Parse(body.GetProviderId())
	return r, nil
}
