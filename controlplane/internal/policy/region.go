package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/route"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// maxNamed bounds how many providers a reason names.
const maxNamed = 5

// Unserved is a route that a gateway does not serve.
type Unserved struct {
	RouteID      uuid.UUID
	Name, Reason string
}

// UnservedBy lists the routes that have no target in the regions that the gateway
// allows, in the order of routes.
func UnservedBy(g gateway.Gateway, providers []provider.Provider, routes []route.Route) []Unserved {
	_, reasons := within(State{Gateway: g, Providers: providers, Routes: routes})
	var out []Unserved
	for _, r := range routes {
		if reason := reasons[r.ID]; reason != "" {
			out = append(out, Unserved{RouteID: r.ID, Name: r.Name, Reason: reason})
		}
	}
	return out
}

// DraftRoute is what the gateway's agents would have of a route that is not stored.
func DraftRoute(g gateway.Gateway, providers []provider.Provider, r route.Route) *policyv1.Route {
	inside, unserved := within(State{Gateway: g, Providers: providers, Routes: []route.Route{r}})
	return toProtoRoute(inside.Routes[0], unserved[r.ID])
}

// within leaves out the providers outside of the regions that the gateway allows, and
// the targets there, canaries and shadows, too: what agents don't know they can't send to.
// A route that has no target left stays, and unserved says why.
func within(state State) (inside State, unserved map[uuid.UUID]string) {
	allowed, limited := state.regions()
	if !limited {
		return state, nil
	}
	inside, unserved = state, map[uuid.UUID]string{}
	outside := map[uuid.UUID]provider.Provider{}
	inside.Providers, inside.Routes = nil, nil
	said := state.regionsSaidNow()
	for _, p := range state.Providers {
		if now, again := said[p.ID]; again && !slices.Contains(allowed, now) {
			p.Region = now
		}
		if slices.Contains(allowed, p.Region) {
			inside.Providers = append(inside.Providers, p)
		} else {
			outside[p.ID] = p
		}
	}
	for _, r := range state.Routes {
		targets := r.Targets
		r.Targets = slices.DeleteFunc(slices.Clone(targets), func(t route.Target) bool {
			_, out := outside[t.ProviderID]
			return out
		})
		served := len(r.Targets) > 0
		if !served {
			unserved[r.ID] = reasonFor(state.Gateway.Name, allowed, targets, outside)
		}
		r.Canary, r.Shadow = shareInside(r.Canary, outside, served), shareInside(r.Shadow, outside, served)
		inside.Routes = append(inside.Routes, r)
	}
	return inside, unserved
}

// shareInside is nil where the gateway may not send to its target, or does not serve the
// route.
func shareInside(s *route.Share, outside map[uuid.UUID]provider.Provider, served bool) *route.Share {
	if s == nil || !served {
		return nil
	}
	if _, out := outside[s.Target.ProviderID]; out {
		return nil
	}
	return s
}

// regions are those that the gateway may send to; not limited: every one. What is taken
// away holds at once, whatever version its agents are to have; what is given is staged.
// Where regions are named, one that a provider does not state is none of them.
func (s State) regions() (allowed []string, limited bool) {
	was, now := s.Gateway.AllowedRegions, s.RegionsNow
	switch {
	case len(now) == 0:
		return was, len(was) > 0
	case len(was) == 0:
		return now, true
	}
	return slices.DeleteFunc(slices.Clone(was), func(region string) bool { return !slices.Contains(now, region) }), true
}

// regionsSaidNow are those of providers of the past that are at the same place still: which
// region that is in was wrong before, or is now.
func (s State) regionsSaidNow() map[uuid.UUID]string {
	was := make(map[uuid.UUID]string, len(s.ProvidersNow))
	for _, p := range s.Providers {
		was[p.ID] = p.BaseURL
	}
	said := make(map[uuid.UUID]string, len(s.ProvidersNow))
	for _, p := range s.ProvidersNow {
		if was[p.ID] == p.BaseURL {
			said[p.ID] = p.Region
		}
	}
	return said
}

func reasonFor(gatewayName string, allowed []string, targets []route.Target, outside map[uuid.UUID]provider.Provider) string {
	var where []string
	for _, t := range targets {
		p := outside[t.ProviderID]
		said := fmt.Sprintf("%s states no region", p.Name)
		if p.Region != "" {
			said = fmt.Sprintf("%s is in %s", p.Name, p.Region)
		}
		if len(where) < maxNamed && !slices.Contains(where, said) {
			where = append(where, said)
		}
	}
	regions := cmp.Or(strings.Join(allowed, ", "), "no region that both this configuration and the present one allow")
	return fmt.Sprintf("the gateway %s may send to providers in %s only: %s", gatewayName, regions, strings.Join(where, ", "))
}
