package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/route"
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

// within leaves out the providers outside of the regions that the gateway allows, and
// the targets there: what agents don't know they can't send to. A route that has no
// target left stays, and unserved says why.
func within(state State) (inside State, unserved map[uuid.UUID]string) {
	if len(state.Gateway.AllowedRegions) == 0 {
		return state, nil
	}
	inside, unserved = state, map[uuid.UUID]string{}
	outside := map[uuid.UUID]provider.Provider{}
	inside.Providers, inside.Routes = nil, nil
	for _, p := range state.Providers {
		if state.Gateway.Reaches(p.Region) {
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
		if len(r.Targets) == 0 {
			unserved[r.ID] = reasonFor(state.Gateway, targets, outside)
		}
		inside.Routes = append(inside.Routes, r)
	}
	return inside, unserved
}

func reasonFor(g gateway.Gateway, targets []route.Target, outside map[uuid.UUID]provider.Provider) string {
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
	return fmt.Sprintf("the gateway %s may send to providers in %s only: %s",
		g.Name, strings.Join(g.AllowedRegions, ", "), strings.Join(where, ", "))
}
