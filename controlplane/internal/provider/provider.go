// Package provider decides about upstream accounts. It knows no clock and no I/O.
package provider

import (
	"time"

	"github.com/google/uuid"

	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Provider is an upstream account as the log has it.
type Provider struct {
	ID            uuid.UUID       `json:"id"`
	Name          string          `json:"name"`
	Dialect       eventv1.Dialect `json:"dialect"`
	BaseURL       string          `json:"base_url"`
	CredentialRef string          `json:"credential_ref"`
	Region        string          `json:"region"`
	// PriceList is empty where its models are unpriced.
	PriceList string    `json:"price_list"`
	CreatedAt time.Time `json:"created_at"`
	// Version of the log at its last change.
	Version int64 `json:"version"`
}
