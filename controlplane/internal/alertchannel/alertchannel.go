// Package alertchannel decides about the webhooks that alerts go to: where they may
// be, and what their secrets look like. The secrets themselves are in the vault. It
// knows no clock and no I/O.
package alertchannel

import (
	"time"

	"github.com/google/uuid"

	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// SecretPurpose is what the vault keeps a channel's secret for, under its id.
const SecretPurpose = "alert_channel.webhook"

// AlertChannel is a webhook as the log has it.
type AlertChannel struct {
	ID uuid.UUID `json:"id"`
	Settings
	// SecretSetAt is when the present secret was set; zero: there is none.
	SecretSetAt time.Time `json:"secret_set_at,omitzero"`
	CreatedAt   time.Time `json:"created_at"`
	// Version of the log at its last change.
	Version int64 `json:"version"`
}

// Settings are what people choose, but for the secret.
type Settings struct {
	Name string `json:"name"`
	URL  string `json:"url"`
	// Kinds of alerts that it is told of, besides the budgets that name it; ascending.
	Kinds []eventv1.AlertKind `json:"kinds,omitempty"`
}

// toldOf are the kinds that a channel can ask for: budgets name their channels, and a test
// is of one.
var toldOf = []eventv1.AlertKind{eventv1.AlertKind_ALERT_KIND_SPEND_ANOMALY, eventv1.AlertKind_ALERT_KIND_UNPRICED_USAGE}
