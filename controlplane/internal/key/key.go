// Package key decides about virtual keys: what applications authenticate with.
package key

import (
	"bytes"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/share"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// Key is a virtual key as the log has it; the key's text is nowhere.
type Key struct {
	ID        uuid.UUID `json:"id"`
	ProjectID uuid.UUID `json:"project_id"`
	Settings
	// SHA256 of the whole key text, 32 bytes.
	SHA256 []byte `json:"sha256"`
	// Suffix is the key's last four characters.
	Suffix string `json:"suffix"`
	// Previous is the secret before the last rotation; nil: there was none.
	Previous *Previous `json:"previous,omitempty"`
	// Ended are secrets whose overlaps were ended before their time, the newest last, at
	// most maxEnded.
	Ended []Ended `json:"ended,omitempty"`
	// RevokedAt is zero for a key that lives.
	RevokedAt time.Time `json:"revoked_at"`
	// RevokedVersion is the log version of the revocation; 0 for a key that lives.
	RevokedVersion int64     `json:"revoked_version"`
	CreatedAt      time.Time `json:"created_at"`
	Version        int64     `json:"version"`
}

// Settings are what people choose.
type Settings struct {
	Name string `json:"name"`
	// RouteIDs it may use; empty: every route.
	RouteIDs []uuid.UUID `json:"route_ids"`
	// ExpiresAt is zero for a key that never expires.
	ExpiresAt time.Time         `json:"expires_at"`
	Labels    map[string]string `json:"labels,omitempty"`
	// Weight beside other keys of its project.
	Weight share.Weight `json:"weight,omitempty"`
	// Priority is unspecified where it is NORMAL.
	Priority eventv1.Priority `json:"priority,omitempty"`
}

// Previous is a secret that a rotation replaced.
type Previous struct {
	SHA256    []byte    `json:"sha256"`
	Suffix    string    `json:"suffix"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Ended is a secret whose overlap was ended before its time.
type Ended struct {
	SHA256 []byte    `json:"sha256"`
	At     time.Time `json:"at"`
	// Version of the log that ended it.
	Version int64 `json:"version"`
}

// maxEnded bounds what is kept of one key. Policies have the last rotation only; those
// before count for agents that missed the policies since.
const maxEnded = 8

// PreviousEnded is how the overlap of the last rotation was ended; false: it was not, or
// there was none.
func (k Key) PreviousEnded() (Ended, bool) {
	if k.Previous == nil || len(k.Ended) == 0 {
		return Ended{}, false
	}
	last := k.Ended[len(k.Ended)-1]
	return last, bytes.Equal(last.SHA256, k.Previous.SHA256)
}

// Lives tells whether the key opens anything at a time.
func (k Key) Lives(at time.Time) bool {
	return k.RevokedAt.IsZero() && (k.ExpiresAt.IsZero() || at.Before(k.ExpiresAt))
}

// World is what decisions about a key depend on.
type World struct {
	Now time.Time
	// ProjectExists in the organization.
	ProjectExists bool
	// Routes are those of the organization that RouteIDs name.
	Routes map[uuid.UUID]bool
	// NameTaken: another key of the project that is not revoked has the name.
	NameTaken bool
}
