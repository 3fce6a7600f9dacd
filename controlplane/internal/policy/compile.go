package policy

import (
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/route"
	"github.com/weirhq/weir/controlplane/internal/timeouts"
	"github.com/weirhq/weir/proto/contract/digest"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const (
	// MaxBytes and MaxResources bound one policy; agents refuse more.
	MaxBytes     = 64 << 20
	MaxResources = 250_000
	// DefaultMaxRequestBytes is a gateway's largest request body.
	DefaultMaxRequestBytes = 20 << 20
)

// What an agent must be able to do, by the day it learned it.
const (
	// 2026-07-01: gateway, provider, route with one target, key, price_book.
	capabilityFirst = 1
	// 2026-11-22: the secret before a key's rotation, headers of a provider,
	// timeouts of providers and routes, projects that a route is for.
	capabilitySettings = 2
	// 2026-11-26: sealed credentials; routes with several targets, their strategies
	// and retries.
	capabilitySealedAndRouted = 3
	// 2026-11-26: how long a credential is kept whose source went away; routes that a
	// gateway does not serve; keys that may use no route.
	capabilityRestricted = 4
	// 2026-11-27: providers of the dialect anthropic.
	capabilityAnthropic = 5
)

// Kinds of resources.
const (
	KindGateway   = "gateway"
	KindProvider  = "provider"
	KindRoute     = "route"
	KindKey       = "key"
	KindPriceBook = "price_book"
)

// ErrTooLarge says that a policy exceeds MaxBytes or MaxResources.
var ErrTooLarge = errors.New("policy too large")

var encoding = proto.MarshalOptions{Deterministic: true}

// Compile returns the resources of the state's gateway in the order of (kind, id).
// The order of things in the state does not matter. The price book is the one that
// PriceBook returns. The state must be a whole one.
func Compile(state State, builtin *policyv1.PriceBook) ([]*policyv1.Resource, error) {
	compiled, err := CompileNext(nil, state, builtin)
	if err != nil {
		return nil, err
	}
	return compiled.Resources(), nil
}

// ordinary is what the state needs of an agent, but for routes without a target and keys
// without a route.
func ordinary(state State) int32 {
	foreign := func(p provider.Provider) bool { return p.Dialect == eventv1.Dialect_DIALECT_ANTHROPIC }
	if slices.ContainsFunc(state.Providers, foreign) {
		return capabilityAnthropic
	}
	if state.Gateway.CredentialMaxAge > 0 {
		return capabilityRestricted
	}
	routed := func(r route.Route) bool { return r.Strategy != eventv1.Strategy_STRATEGY_SINGLE || r.Retry != nil }
	sealed := func(p provider.Provider) bool { _, sealed := p.SealedFor(state.Gateway.ID); return sealed }
	if slices.ContainsFunc(state.Routes, routed) || slices.ContainsFunc(state.Providers, sealed) {
		return capabilitySealedAndRouted
	}
	rotated := func(k key.Key) bool { return k.Previous != nil }
	tunedProvider := func(p provider.Provider) bool { return len(p.Headers) > 0 || p.Timeouts != (timeouts.Timeouts{}) }
	tunedRoute := func(r route.Route) bool { return len(r.AllowedProjectIDs) > 0 || r.Timeouts != (timeouts.Timeouts{}) }
	if slices.ContainsFunc(state.Keys, rotated) || slices.ContainsFunc(state.Providers, tunedProvider) ||
		slices.ContainsFunc(state.Routes, tunedRoute) {
		return capabilitySettings
	}
	return capabilityFirst
}

// Root is the digest of compiled resources, 32 bytes.
func Root(resources []*policyv1.Resource) []byte {
	identities := make([]digest.Resource, len(resources))
	for i, r := range resources {
		identities[i] = digest.Of(r.GetKind(), r.GetId(), r.GetBody())
	}
	root := digest.Root(identities)
	return root[:]
}

// compiler encodes one thing after another.
type compiler struct {
	items []*item
	err   error
}

// all encodes what the state has; its price book only where that is new. Keys of now name
// only routes that a configuration of the past has.
func (c *compiler) all(state State, builtin *policyv1.PriceBook) {
	state, unserved := within(state)
	c.add(KindGateway, state.Gateway.ID.String(), toProtoGateway(state.Gateway), ordinary(State{Gateway: state.Gateway}))
	if state.PriceOverridesVersion > state.Since || state.Since == 0 {
		book := PriceBook(builtin, state.PriceOverrides, state.PriceOverridesVersion)
		c.add(KindPriceBook, book.GetVersion(), book, capabilityFirst)
	}
	for _, p := range state.Providers {
		needs := ordinary(State{Gateway: state.Gateway, Providers: []provider.Provider{p}})
		c.add(KindProvider, p.ID.String(), toProtoProvider(p, state.Gateway.ID), needs)
	}
	for _, r := range state.Routes {
		needs, reason := ordinary(State{Routes: []route.Route{r}}), unserved[r.ID]
		if reason != "" {
			needs = capabilityRestricted
		}
		c.add(KindRoute, r.ID.String(), toProtoRoute(r, reason), needs)
	}
	routes := idsOf(state.Routes)
	for _, k := range state.Keys {
		needs, none := ordinary(State{Keys: []key.Key{k}}), false
		if state.ConfigurationVersion != 0 {
			k, none = known(k, routes)
		}
		if none {
			needs = capabilityRestricted
		}
		compiled := toProtoKey(k)
		compiled.NoRoutes = none
		c.add(KindKey, k.ID.String(), compiled, needs)
	}
}

// add encodes one resource, which needs so much of an agent.
func (c *compiler) add(kind, id string, message proto.Message, needs int32) {
	if c.err != nil {
		return
	}
	body, err := encoding.Marshal(message)
	if err != nil {
		c.err = fmt.Errorf("encode %s %s: %w", kind, id, err)
		return
	}
	resource := &policyv1.Resource{Kind: kind, Id: id, Body: body}
	c.items = append(c.items, &item{
		resource:   resource,
		digest:     digest.Of(kind, id, body),
		bytes:      proto.Size(resource),
		capability: needs,
	})
}
