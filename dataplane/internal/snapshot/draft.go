package snapshot

import (
	"slices"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Draft is a route that is not in the policy.
type Draft struct {
	*Route
	was *Route // of the same id in the policy; nil: none
}

// Draft builds a route by what else is in the policy, which stays as it is. Requests can't be
// sent by it: it is for diagnoses. reasons are why there can't be such a route; none: there can.
func (p *Policy) Draft(r *policyv1.Route) (draft Draft, reasons []string) {
	own := *p.content
	own.routes, own.routeList = map[string]*Route{}, nil
	c := &compiler{content: &own, routes: map[string]*Route{}}
	c.addRoute(r.GetId(), r)
	if len(c.reasons) > 0 {
		return Draft{}, capped(c.reasons)
	}
	draft = Draft{Route: own.routes[r.GetName()]}
	if i := slices.IndexFunc(p.content.routeList, func(r *Route) bool { return r.ID == draft.ID }); i >= 0 {
		draft.was = p.content.routeList[i]
		draft.quotas = draft.was.quotas
	}
	return draft, nil
}

// MayDraft tells whether the key might use a route once it is as drafted.
func (k *Key) MayDraft(d Draft) bool {
	return k.Sees(d.Route) && (k.routes == nil || d.was != nil && k.routes[d.was])
}
