// Package policy compiles an organization's state into what one gateway's agents
// need to serve. It is pure: same state, same bytes.
package policy

import (
	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/budget"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/limit"
	"github.com/weirhq/weir/controlplane/internal/organization"
	"github.com/weirhq/weir/controlplane/internal/priceoverride"
	"github.com/weirhq/weir/controlplane/internal/project"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	"github.com/weirhq/weir/controlplane/internal/route"
)

// State is what a compile reads, at one version of the log; what is staged may be as
// it was at an earlier one.
type State struct {
	OrganizationID uuid.UUID
	// Version is the head of the log that this state shows.
	Version int64
	// Frozen: the organization is suspended. Its agents serve on with what they have;
	// nothing new is released.
	Frozen  bool
	Gateway gateway.Gateway
	// Usage is what the organization has said by now: it is not staged.
	Usage organization.Usage
	// Pricing likewise.
	Pricing organization.Pricing
	// ConfigurationVersion, other than 0: everything but keys, quotas, Usage and Pricing is as it was at this
	// earlier version.
	ConfigurationVersion int64
	// RegionsNow are those that the gateway allows now, where its configuration is of the
	// past; empty: any. What either forbids is forbidden.
	RegionsNow []string
	// ProvidersNow are the present ones, where those of Providers are of the past: one that
	// is said to be in another region by now is in neither, unless both are allowed.
	ProvidersNow []provider.Provider
	// Stage tells which configuration the gateway's agents are to have.
	Stage          rollout.Stage
	Providers      []provider.Provider
	Routes         []route.Route
	PriceOverrides []priceoverride.PriceOverride
	// PriceOverridesVersion is the log version of their newest change, of archived ones,
	// too; 0: there never was one.
	PriceOverridesVersion int64
	// Budgets and Limits are those of now that are enforced.
	Budgets []budget.Budget
	Limits  []limit.Limit
	// Projects are those of now that have a weight of their own.
	Projects []project.Project
	// Keys includes those revoked within the last 90 days.
	Keys []key.Key
	// Lingering are keys revoked before that which an agent of the gateway may still have
	// living on its disk: in the set of revocations only.
	Lingering []key.Key
	// Since: other than 0, of Providers, Routes, Budgets, Limits, Projects and Keys only those are here that changed
	// after this version, as they are now, and Gone names those that did and are no
	// more. PriceOverrides are here only where PriceOverridesVersion is above it.
	Since int64
	Gone  []Name
}

// Name of a resource, of which a policy has one at most.
type Name struct{ Kind, ID string }
