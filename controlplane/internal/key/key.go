// Package key decides about virtual keys: what applications authenticate with.
package key

import (
	"time"

	"github.com/google/uuid"
)

// Key is a virtual key as the log has it; the key's text is nowhere.
type Key struct {
	ID        uuid.UUID `json:"id"`
	ProjectID uuid.UUID `json:"project_id"`
	Name      string    `json:"name"`
	// SHA256 of the whole key text, 32 bytes.
	SHA256 []byte `json:"sha256"`
	// Suffix is the key's last four characters.
	Suffix string `json:"suffix"`
	// RouteIDs it may use; empty: every route.
	RouteIDs []uuid.UUID `json:"route_ids"`
	// ExpiresAt is zero for a key that never expires.
	ExpiresAt time.Time `json:"expires_at"`
	// RevokedAt is zero for a key that lives.
	RevokedAt time.Time `json:"revoked_at"`
	// RevokedVersion is the log version of the revocation; 0 for a key that lives.
	RevokedVersion int64     `json:"revoked_version"`
	CreatedAt      time.Time `json:"created_at"`
	Version        int64     `json:"version"`
}
