// Package organization decides about tenants. It knows no clock and no I/O.
package organization

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/slug"
)

const (
	maxRegion  = 63
	maxRegions = 100
)

// Organization is a tenant as its log has it.
type Organization struct {
	ID uuid.UUID `json:"id"`
	Settings
	CreatedAt time.Time `json:"created_at"`
	// SuspendedAt is zero for one that is not.
	SuspendedAt time.Time `json:"suspended_at,omitzero"`
	// SuspensionReason is the operator's.
	SuspensionReason string `json:"suspension_reason,omitempty"`
	// Version of the log at its last change.
	Version int64 `json:"version"`
}

// Settings are what people choose.
type Settings struct {
	// Name is unique over the whole installation.
	Name string `json:"name"`
	// DisplayName is the name where nothing else was said.
	DisplayName string `json:"display_name"`
	// AllowedRegions of new gateways; empty: any.
	AllowedRegions []string `json:"allowed_regions,omitempty"`
	// Usage that is zero: as an organization begins.
	Usage Usage `json:"usage,omitzero"`
	// Pricing that is zero: requests without a known price are served.
	Pricing Pricing `json:"pricing,omitzero"`
}

// Suspended tells whether nobody of the organization may do anything.
func (o Organization) Suspended() bool { return !o.SuspendedAt.IsZero() }

// Allows tells whether a gateway may be in the region.
func (s Settings) Allows(region string) bool {
	return len(s.AllowedRegions) == 0 || slices.Contains(s.AllowedRegions, region)
}

// complete puts regions in order, so that the same set is the same settings.
func (s Settings) complete() (Settings, error) {
	if s.DisplayName == "" {
		s.DisplayName = s.Name
	}
	s.AllowedRegions = slices.Compact(slices.Sorted(slices.Values(s.AllowedRegions)))
	if len(s.AllowedRegions) > maxRegions {
		return s, fault.Field("allowed_regions", "want at most %d", maxRegions)
	}
	for _, region := range s.AllowedRegions {
		if region == "" || len(region) > maxRegion {
			return s, fault.Field("allowed_regions", "want 1 to %d bytes each", maxRegion)
		}
	}
	var err error
	if s.Usage, err = s.Usage.complete(); err != nil {
		return s, err
	}
	if s.Pricing, err = s.Pricing.complete(); err != nil {
		return s, err
	}
	return s, slug.Check("name", s.Name)
}

func (s Settings) equal(other Settings) bool {
	return s.Name == other.Name && s.DisplayName == other.DisplayName && slices.Equal(s.AllowedRegions, other.AllowedRegions) &&
		s.Usage.equal(other.Usage) && s.Pricing == other.Pricing
}
