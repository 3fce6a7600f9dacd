package alertchannel

import (
	"fmt"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Apply folds one event into the state.
func Apply(c AlertChannel, e eventlog.Event) (AlertChannel, error) {
	switch body := e.Body.(type) {
	case *eventv1.AlertChannelCreated:
		c = AlertChannel{ID: e.Subject, CreatedAt: e.RecordedAt, SecretSetAt: e.RecordedAt, Settings: fromSettings(body)}
	case *eventv1.AlertChannelUpdated:
		c.Settings = fromSettings(body)
	case *eventv1.AlertChannelSecretSet:
		c.SecretSetAt = e.RecordedAt
	case *eventv1.AlertChannelRestored:
		c = AlertChannel{ID: e.Subject, CreatedAt: body.GetCreatedAt().AsTime(), Settings: fromSettings(body)}
	default:
		return c, fmt.Errorf("fold alert channel: %s: %w", e.Kind, eventlog.ErrUnknownKind)
	}
	c.Version = e.Version
	return c, nil
}

// settings is what the events that say all of them have in common.
type settings interface {
	GetName() string
	GetUrl() string
	GetKinds() []eventv1.AlertKind
}

func fromSettings(s settings) Settings {
	return Settings{Name: s.GetName(), URL: s.GetUrl(), Kinds: s.GetKinds()}
}
