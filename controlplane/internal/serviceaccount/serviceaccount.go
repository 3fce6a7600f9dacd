// Package serviceaccount decides about automation's identities and their bearer
// tokens. Nobody makes an account, or a token of one, with more rights than their
// own. It knows no clock and no I/O.
package serviceaccount

import (
	"time"

	"github.com/google/uuid"

	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// ServiceAccount is automation's identity as the log has it.
type ServiceAccount struct {
	ID        uuid.UUID    `json:"id"`
	Name      string       `json:"name"`
	Role      eventv1.Role `json:"role"`
	CreatedAt time.Time    `json:"created_at"`
	// Version of the log at its last change.
	Version int64 `json:"version"`
}

// Token is a bearer token as the log has it; its text is nowhere.
type Token struct {
	ID               uuid.UUID `json:"id"`
	ServiceAccountID uuid.UUID `json:"service_account_id"`
	Name             string    `json:"name"`
	// SHA256 of the token's text, 32 bytes.
	SHA256 []byte `json:"sha256"`
	// Suffix is the token's last four characters.
	Suffix string `json:"suffix"`
	// ExpiresAt is zero for a token that never expires.
	ExpiresAt time.Time `json:"expires_at"`
	// RevokedAt is zero for a token that lives.
	RevokedAt time.Time `json:"revoked_at"`
	CreatedAt time.Time `json:"created_at"`
	Version   int64     `json:"version"`
}

// Lives tells whether the token opens anything at this moment.
func (t Token) Lives(now time.Time) bool {
	return t.RevokedAt.IsZero() && (t.ExpiresAt.IsZero() || now.Before(t.ExpiresAt))
}
