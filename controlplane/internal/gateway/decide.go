package gateway

import (
	"slices"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	"github.com/weirhq/weir/controlplane/internal/slug"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const (
	defaultTokenLife = 24 * time.Hour
	maxTokenUses     = 10_000
	maxRegion        = 63
	// maxCredentialAge is ten years, in seconds: what agents take.
	maxCredentialAge = 10 * 365 * 24 * 3600
	maxRegions       = 100
)

// Creation is what Create needs.
type Creation struct {
	ID           uuid.UUID
	Name, Region string
	// AllowedRegions of providers; empty: any.
	AllowedRegions []string
	// CredentialMaxAge in seconds; 0: for ever.
	CredentialMaxAge int64
	WhenSpoolFull    eventv1.SpoolFull
	Rollout          rollout.Settings
	// NameTaken: a gateway of the organization has the name.
	NameTaken bool
	// Elsewhere: the organization does not allow gateways in the region.
	Elsewhere bool
}

// Create begins a gateway.
func Create(c Creation) ([]eventlog.Change, error) {
	if err := slug.Check("name", c.Name); err != nil {
		return nil, err
	}
	if c.Region == "" || len(c.Region) > maxRegion {
		return nil, fault.Field("region", "want 1 to %d bytes", maxRegion)
	}
	if c.Elsewhere {
		return nil, forbiddenRegion(c.Region)
	}
	if c.NameTaken {
		return nil, taken(c.Name)
	}
	regions, err := sortedRegions("allowed_regions", c.AllowedRegions)
	if err != nil {
		return nil, err
	}
	settings, err := c.Rollout.Complete("rollout")
	if err != nil {
		return nil, err
	}
	return []eventlog.Change{{Subject: c.ID, Body: &eventv1.GatewayCreated{
		Name: c.Name, Region: c.Region, AllowedRegions: regions, CredentialMaxAgeSeconds: c.CredentialMaxAge, Rollout: staged(settings),
		WhenSpoolFull: unlessBlock(c.WhenSpoolFull),
	}}}, checkAge("credential_max_age", c.CredentialMaxAge)
}

// Update is what may be changed of a gateway.
type Update struct {
	Name string
	// NameTaken: another gateway of the organization has it.
	NameTaken bool
	// CredentialMaxAge in seconds; 0: for ever.
	CredentialMaxAge int64
	AllowedRegions   []string
	WhenSpoolFull    eventv1.SpoolFull
}

// Update changes the name and the settings. It refuses no regions for the routes that
// lose their targets: those may have targets for another gateway.
func (g Gateway) Update(u Update) ([]eventlog.Change, error) {
	if err := slug.Check("name", u.Name); err != nil {
		return nil, err
	}
	if err := checkAge("gateway.credential_max_age", u.CredentialMaxAge); err != nil {
		return nil, err
	}
	regions, err := sortedRegions("gateway.allowed_regions", u.AllowedRegions)
	if err != nil {
		return nil, err
	}
	if u.Name == g.Name && u.CredentialMaxAge == g.CredentialMaxAge && slices.Equal(regions, g.AllowedRegions) &&
		unlessBlock(u.WhenSpoolFull) == g.WhenSpoolFull {
		return nil, nil
	}
	if u.Name != g.Name && u.NameTaken {
		return nil, taken(u.Name)
	}
	return []eventlog.Change{{Subject: g.ID, Body: &eventv1.GatewayUpdated{
		Name: u.Name, CredentialMaxAgeSeconds: u.CredentialMaxAge, AllowedRegions: regions,
		WhenSpoolFull: unlessBlock(u.WhenSpoolFull),
	}}}, nil
}

// unlessBlock is unspecified for BLOCK, so that what is said and what is left out are one.
func unlessBlock(s eventv1.SpoolFull) eventv1.SpoolFull {
	if s == eventv1.SpoolFull_SPOOL_FULL_BLOCK {
		return eventv1.SpoolFull_SPOOL_FULL_UNSPECIFIED
	}
	return s
}

func checkAge(field string, seconds int64) error {
	if seconds < 0 || seconds > maxCredentialAge {
		return fault.Field(field, "want 1 s to %d s (ten years), or none: for ever", int64(maxCredentialAge))
	}
	return nil
}

func sortedRegions(field string, regions []string) ([]string, error) {
	regions = slices.Compact(slices.Sorted(slices.Values(regions)))
	if len(regions) > maxRegions {
		return nil, fault.Field(field, "want at most %d", maxRegions)
	}
	for _, region := range regions {
		if region == "" || len(region) > maxRegion {
			return nil, fault.Field(field, "want 1 to %d bytes each", maxRegion)
		}
	}
	return regions, nil
}

// Archive ends a gateway that no living agent serves; its enrolment tokens end with it,
// and what its stage has under way.
func (g Gateway) Archive(agents []fault.Use, tokens []Token, stage rollout.Stage) ([]eventlog.Change, error) {
	if len(agents) > 0 {
		return nil, fault.InUse("gateway", g.Name, agents)
	}
	changes := stage.End("its gateway was deleted")
	for _, t := range tokens {
		changes = append(changes, t.Revoke("its gateway was deleted")...)
	}
	return append(changes, eventlog.Change{Subject: g.ID, Body: &eventv1.GatewayArchived{}}), nil
}

// Restore brings an archived gateway back as it was; its enrolment tokens stay ended.
// elsewhere: the organization does not allow gateways in its region any more.
func (g Gateway) Restore(nameTaken, elsewhere bool) ([]eventlog.Change, error) {
	if elsewhere {
		return nil, forbiddenRegion(g.Region)
	}
	if nameTaken {
		return nil, taken(g.Name)
	}
	return []eventlog.Change{{Subject: g.ID, Body: &eventv1.GatewayRestored{
		Name: g.Name, Region: g.Region, PublicKey: g.PublicKey, Rollout: staged(g.Rollout), CreatedAt: timestamppb.New(g.CreatedAt),
		CredentialMaxAgeSeconds: g.CredentialMaxAge, AllowedRegions: g.AllowedRegions, WhenSpoolFull: g.WhenSpoolFull,
	}}}, nil
}

func forbiddenRegion(region string) error {
	return fault.Because(fault.Precondition, "region_not_allowed",
		"the organization allows no gateways in the region %q; its allowed_regions say where", region)
}

func taken(name string) error {
	return fault.Because(fault.Conflict, "name_taken", "a gateway named %q exists", name)
}

// Revoke ends an enrolment token; agents that joined with it stay.
func (t Token) Revoke(reason string) []eventlog.Change {
	return []eventlog.Change{{Subject: t.ID, Body: &eventv1.EnrolmentTokenRevoked{Reason: reason}}}
}

// TokenCreation is what CreateToken needs.
type TokenCreation struct {
	ID        uuid.UUID
	GatewayID uuid.UUID
	SHA256    [32]byte
	// MaxUses of 0 means 1.
	MaxUses int32
	// ExpiresAt of zero means in 24 hours.
	ExpiresAt time.Time
	Now       time.Time
	// GatewayExists in the organization.
	GatewayExists bool
}

// CreateToken makes an enrolment token known by its hash.
func CreateToken(c TokenCreation) ([]eventlog.Change, error) {
	if c.MaxUses == 0 {
		c.MaxUses = 1
	}
	if c.ExpiresAt.IsZero() {
		c.ExpiresAt = c.Now.Add(defaultTokenLife)
	}
	switch {
	case c.MaxUses < 0 || c.MaxUses > maxTokenUses:
		return nil, fault.Field("max_uses", "want 0 to %d", maxTokenUses)
	case !c.ExpiresAt.After(c.Now):
		return nil, fault.Field("expires_at", "want a time to come")
	case !c.GatewayExists:
		return nil, fault.Because(fault.NotFound, "gateway_not_found", "no gateway %s", c.GatewayID)
	}
	return []eventlog.Change{{Subject: c.ID, Body: &eventv1.EnrolmentTokenCreated{
		GatewayId: c.GatewayID.String(), Sha256: c.SHA256[:], MaxUses: c.MaxUses, ExpiresAt: timestamppb.New(c.ExpiresAt),
	}}}, nil
}
