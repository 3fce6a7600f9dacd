// Package savedreport decides about queries that are kept under a name. What a text
// may be is known to package report, which the caller asks first. It knows no clock
// and no I/O.
package savedreport

import (
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/slug"
)

// SavedReport is a query with a name as the log has it.
type SavedReport struct {
	ID uuid.UUID `json:"id"`
	Settings
	CreatedAt time.Time `json:"created_at"`
	// Version of the log at its last change.
	Version int64 `json:"version"`
}

// Settings are what people choose.
type Settings struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	SQL         string `json:"sql"`
}

func (s Settings) check() error { return slug.Check("name", s.Name) }
