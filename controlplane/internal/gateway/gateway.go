// Package gateway decides about gateways, their enrolment tokens and who joined
// with them.
package gateway

import (
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/rollout"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Gateway is a named fleet of agents that serve one policy.
type Gateway struct {
	ID     uuid.UUID `json:"id"`
	Name   string    `json:"name"`
	Region string    `json:"region"`
	// PublicKey is what credentials are sealed for, X25519, 32 bytes; empty: none was set.
	PublicKey []byte `json:"public_key,omitempty"`
	// CredentialMaxAge is how long agents use a credential whose reference they can't
	// read any more, in seconds; 0: for ever.
	CredentialMaxAge int64 `json:"credential_max_age_seconds,omitempty"`
	// AllowedRegions are those of the providers that it may send to, sorted; empty: any.
	AllowedRegions []string `json:"allowed_regions,omitempty"`
	// WhenSpoolFull is unspecified for BLOCK.
	WhenSpoolFull eventv1.SpoolFull `json:"when_spool_full,omitempty"`
	Rollout       rollout.Settings  `json:"rollout,omitzero"`
	// StagedSince is the version at which its changes began to be staged; 0: they are not.
	StagedSince int64     `json:"staged_since,omitempty"`
	CreatedAt   time.Time `json:"created_at"`
	Version     int64     `json:"version"`
}

// Agent is one enrolled data-plane process.
type Agent struct {
	ID             uuid.UUID `json:"id"`
	OrganizationID uuid.UUID `json:"organization_id"`
	GatewayID      uuid.UUID `json:"gateway_id"`
	Name           string    `json:"name"`
	// PublicKey is Ed25519, 32 bytes.
	PublicKey  []byte    `json:"public_key"`
	EnrolledAt time.Time `json:"enrolled_at"`
	// RevokedAt of zero: it lives.
	RevokedAt time.Time `json:"revoked_at,omitzero"`
	Version   int64     `json:"version"`
}
