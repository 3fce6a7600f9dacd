// Package provider decides about upstream accounts. It knows no clock and no I/O.
package provider

import (
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/share"
	"github.com/weirhq/weir/controlplane/internal/timeouts"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Provider is an upstream account as the log has it.
type Provider struct {
	ID uuid.UUID `json:"id"`
	Settings
	CreatedAt time.Time `json:"created_at"`
	// Version of the log at its last change.
	Version int64 `json:"version"`
}

// Settings are what people choose.
type Settings struct {
	Name          string          `json:"name"`
	Dialect       eventv1.Dialect `json:"dialect"`
	BaseURL       string          `json:"base_url"`
	CredentialRef string          `json:"credential_ref"`
	Region        string          `json:"region"`
	// PriceList is empty where its models are unpriced.
	PriceList string `json:"price_list"`
	// Headers are sent with every request to the upstream.
	Headers  map[string]string `json:"headers,omitempty"`
	Timeouts timeouts.Timeouts `json:"timeouts"`
	// AllowedModels that routes may send to; empty: all.
	AllowedModels []string `json:"allowed_models,omitempty"`
	// APIVersion is Azure's: empty where its OpenAI endpoint is asked, and for every other
	// dialect.
	APIVersion string `json:"api_version,omitempty"`
	// Queue is how requests wait for its account.
	Queue share.Queue `json:"queue,omitzero"`
	// Sealed credentials in place of CredentialRef, by gateway id.
	Sealed []Sealed `json:"sealed_credentials,omitempty"`
}

// Allows tells whether routes may send to the model.
func (s Settings) Allows(model string) bool {
	for _, allowed := range s.AllowedModels {
		if allowed == model {
			return true
		}
	}
	return len(s.AllowedModels) == 0
}
