package savedreport

import (
	"fmt"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Apply folds one event into the state.
func Apply(r SavedReport, e eventlog.Event) (SavedReport, error) {
	switch body := e.Body.(type) {
	case *eventv1.SavedReportCreated:
		r = SavedReport{ID: e.Subject, CreatedAt: e.RecordedAt, Settings: fromSettings(body)}
	case *eventv1.SavedReportUpdated:
		r.Settings = fromSettings(body)
	case *eventv1.SavedReportRestored:
		r = SavedReport{ID: e.Subject, CreatedAt: body.GetCreatedAt().AsTime(), Settings: fromSettings(body)}
	default:
		return r, fmt.Errorf("fold saved report: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	r.Version = e.Version
	return r, nil
}

// settings is what the events that say all of them have in common.
type settings interface {
	GetName() string
	GetDescription() string
	GetSql() string
}

func fromSettings(s settings) Settings {
	return Settings{Name: s.GetName(), Description: s.GetDescription(), SQL: s.GetSql()}
}
