package snapshot

import (
	"slices"
	"strings"

	"github.com/weirhq/weir/dataplane/internal/quota"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// quotas are those of a policy by what they count, in the order of their ids.
type quotas struct {
	all          []*quota.Quota
	organization []*quota.Quota
	users        []*quota.Quota
	labels       []labelled
	byProject    map[string][]*quota.Quota
	byKey        map[string][]*quota.Quota
	byRoute      map[string][]*quota.Quota
	byProvider   map[string][]*quota.Quota
}

type labelled struct {
	*quota.Quota
	name  string
	value *string // nil: each value apart
}

// Counted is a quota that counts a request, and which of its subjects the request is of.
type Counted struct {
	Quota   *quota.Quota
	Subject string
}

// Quotas are all of the policy. The slice is shared and must not be changed.
func (p *Policy) Quotas() []*quota.Quota { return p.content.quotas.all }

// Counting appends the quotas that count a request as a whole. Labels are the caller's, as
// usage has them; those of the key come before them.
func (p *Policy) Counting(to []Counted, key *Key, route *Route, endUser string, label func(name string) (string, bool)) []Counted {
	q := &p.content.quotas
	for _, group := range [...][]*quota.Quota{q.organization, key.quotas, route.quotas} {
		for _, one := range group {
			to = append(to, Counted{Quota: one})
		}
	}
	if endUser != "" {
		for _, one := range q.users {
			to = append(to, Counted{one, endUser})
		}
	}
	for _, one := range q.labels {
		value, said := key.labels[one.name]
		if !said {
			value, said = label(one.name)
		}
		switch {
		case !said:
		case one.value == nil:
			to = append(to, Counted{one.Quota, value})
		case *one.value == value:
			to = append(to, Counted{Quota: one.Quota})
		}
	}
	return to
}

// Quotas that count attempts on the provider. The slice is shared and must not be changed.
func (p *Provider) Quotas() []*quota.Quota { return p.quotas }

// CountsUsers tells whether a quota counts end users apart.
func (p *Policy) CountsUsers() bool { return len(p.content.quotas.users) > 0 }

func (c *compiler) addQuota(id string, q *policyv1.Quota) {
	compiled, err := quota.FromPolicy(q)
	if err != nil {
		c.refuse("quota %s: %v", id, err)
		return
	}
	all := &c.content.quotas
	all.all = append(all.all, compiled)
	by := func(groups *map[string][]*quota.Quota, id string) {
		if *groups == nil {
			*groups = map[string][]*quota.Quota{}
		}
		(*groups)[id] = append((*groups)[id], compiled)
	}
	switch on := q.GetScope().GetOn().(type) {
	case *policyv1.QuotaScope_Organization:
		all.organization = append(all.organization, compiled)
	case *policyv1.QuotaScope_ProjectId:
		by(&all.byProject, on.ProjectId)
	case *policyv1.QuotaScope_KeyId:
		by(&all.byKey, on.KeyId)
	case *policyv1.QuotaScope_RouteId:
		by(&all.byRoute, on.RouteId)
	case *policyv1.QuotaScope_ProviderId:
		by(&all.byProvider, on.ProviderId)
	case *policyv1.QuotaScope_EndUser:
		all.users = append(all.users, compiled)
	case *policyv1.QuotaScope_Label:
		all.labels = append(all.labels, labelled{compiled, on.Label.GetName(), on.Label.Value})
	default:
		c.refuse("quota %s: what it counts is unknown here", id)
	}
}

// spread gives quotas to what they count. Keys of a project share a slice where none has one
// of its own.
func (c *compiler) spread() {
	q := &c.content.quotas
	slices.SortFunc(q.all, func(a, b *quota.Quota) int { return strings.Compare(a.Name, b.Name) })
	for _, p := range c.content.providers {
		p.quotas = q.byProvider[p.ID]
	}
	for _, r := range c.content.routeList {
		r.quotas = q.byRoute[r.ID]
	}
	for _, k := range c.content.keys {
		k.quotas = q.byProject[k.ProjectID]
		if own := q.byKey[k.ID]; len(own) > 0 {
			k.quotas = slices.Concat(k.quotas, own)
		}
	}
}
