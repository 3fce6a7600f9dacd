// Package alertchannel decides about the webhooks that alerts go to: where they may
// be, and what their secrets look like. The secrets themselves are in the vault. It
// knows no clock and no I/O.
package alertchannel

import (
	"time"

	"github.com/google/uuid"
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
}
