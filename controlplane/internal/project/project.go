// Package project decides about projects: the teams or use cases that keys and
// spend attach to. It knows no clock and no I/O.
package project

import (
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/share"
	"github.com/weirhq/weir/controlplane/internal/slug"
)

// Project is a team or use case as the log has it.
type Project struct {
	ID uuid.UUID `json:"id"`
	Settings
	CreatedAt time.Time `json:"created_at"`
	// Version of the log at its last change.
	Version int64 `json:"version"`
}

// Settings are what people choose.
type Settings struct {
	Name string `json:"name"`
	// DisplayName is the name where nothing else was said.
	DisplayName string `json:"display_name"`
	// Weight beside other projects.
	Weight share.Weight `json:"weight,omitempty"`
}

func (s Settings) complete() (Settings, error) {
	if s.DisplayName == "" {
		s.DisplayName = s.Name
	}
	var err error
	if s.Weight, err = s.Weight.Complete(); err != nil {
		return s, err
	}
	return s, slug.Check("name", s.Name)
}
