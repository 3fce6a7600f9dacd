package policy

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/proto/contract/digest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

const (
	// MaxBytes and MaxResources bound one policy; agents refuse more.
	MaxBytes     = 64 << 20
	MaxResources = 250_000
	// DefaultMaxRequestBytes is a gateway's largest request body.
	DefaultMaxRequestBytes = 20 << 20
)

// Revision of what is compiled: raised whenever the same state becomes other resources, be it by
// the built-in price book. While two builds run, the newer one alone releases what they differ in.
const Revision = 3

// Kinds of resources.
const (
	KindGateway   = "gateway"
	KindProvider  = "provider"
	KindRoute     = "route"
	KindKey       = "key"
	KindPriceBook = "price_book"
	KindQuota     = "quota"
	KindProject   = "project"
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
	c.add(KindGateway, state.Gateway.ID.String(), toProtoGateway(state.Gateway, state.Usage, state.Pricing),
		ofGateway(state.Gateway, state.Usage, state.Pricing))
	if state.PriceOverridesVersion > state.Since || state.Since == 0 {
		book := PriceBook(builtin, state.PriceOverrides, state.PriceOverridesVersion)
		c.add(KindPriceBook, book.GetVersion(), book, ofPriceBook(book))
	}
	for _, p := range state.Providers {
		c.add(KindProvider, p.ID.String(), toProtoProvider(p, state.Gateway.ID), ofProvider(p, state.Gateway.ID))
	}
	for _, r := range state.Routes {
		needs, reason := ofRoute(r), unserved[r.ID]
		if reason != "" {
			needs = max(needs, capabilityRestricted)
		}
		c.add(KindRoute, r.ID.String(), toProtoRoute(r, reason), needs)
	}
	c.quotas(state)
	for _, p := range state.Projects {
		if p.Weight != 0 {
			c.add(KindProject, p.ID.String(), toProtoProject(p), capabilityFair)
		}
	}
	routes := idsOf(state.Routes)
	for _, k := range state.Keys {
		needs, none := ofKey(k), false
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
