package snapshot

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
	"unique"

	"github.com/weirhq/weir/proto/contract/header"
	"github.com/weirhq/weir/proto/contract/price"
	"github.com/weirhq/weir/proto/contract/seal"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

func (c *compiler) addProvider(id string, p *policyv1.Provider) {
	if c.content.providers[id] != nil {
		c.refuse("provider %s is there twice", id)
		return
	}
	if placesOf(p) == nil {
		c.refuse("provider %s: unknown dialect %d", id, p.GetDialect())
	}
	base, err := url.Parse(p.GetBaseUrl())
	var origin string
	if err == nil {
		origin, err = seal.Origin(base)
	}
	if err != nil {
		c.refuse("provider %s: its base URL is not http(s)://host/path", id)
		return
	}
	provider := &Provider{
		ID: id, Name: p.GetName(), Dialect: p.GetDialect(), CredentialRef: p.GetCredentialRef(),
		urls:     reach(base, p, ""),
		Host:     base.Hostname(),
		Region:   p.GetRegion(),
		Headers:  c.headers(id, p.GetHeaders()),
		Timeouts: c.timeouts("provider "+id, p.GetTimeouts()),
		Sealed:   c.sealed(id, origin, p),
		Queue:    c.queue(id, p.GetQueue()),
	}
	if models := modelsOf(p); models.path != "" {
		provider.Models = models.at(base, "")
	}
	if namesModel(p) {
		provider.urls = nil
		provider.named = func(model string) *URLs { return reach(base, p, model) }
		c.named[provider] = provider.named
	}
	provider.Blocked = c.origins.refusal(base, provider.reference())
	c.content.providers[id] = provider
	c.content.lists[provider] = p.GetPriceList()
}

// sealed takes from the provider what is sealed, and all that it must be sealed for
// from what was signed and what is called.
func (c *compiler) sealed(id, origin string, p *policyv1.Provider) *Sealed {
	carried := p.GetSealedCredential()
	if carried == nil {
		return nil
	}
	if p.GetCredentialRef() != "" {
		c.refuse("provider %s has a sealed credential and a reference to one", id)
	}
	sealed := Sealed{
		Binding: seal.Binding{
			OrganizationID: c.content.organizationID, GatewayID: c.content.gatewayID, ProviderID: id,
			Origin: origin, Version: carried.GetVersion(),
		},
		Bytes: string(carried.GetSealed()),
	}
	c.content.sealed = append(c.content.sealed, sealed)
	return &sealed
}

// reference is what the agent's own list of origins must allow.
func (p *Provider) reference() string {
	if p.Sealed != nil {
		return sealedReference
	}
	return p.CredentialRef
}

// headers checks again what the control plane should have: a policy must not
// replace the credential or what the connection depends on.
func (c *compiler) headers(id string, stated []*policyv1.Header) http.Header {
	if len(stated) > header.MaxCount {
		c.refuse("provider %s: %d headers, at most %d are accepted", id, len(stated), header.MaxCount)
		return nil
	}
	headers := make(http.Header, len(stated))
	for _, h := range stated {
		name := header.Canonical(h.GetName())
		if refusal := header.Refusal(h.GetName(), h.GetValue()); refusal != "" {
			c.refuse("provider %s: header %.100q: %s", id, h.GetName(), refusal)
		} else if headers[name] != nil {
			c.refuse("provider %s: header %s is there twice", id, name)
		} else {
			headers[name] = []string{h.GetValue()}
		}
	}
	return headers
}

// longestTimeout is what an agent takes; the control plane lets less be said.
const longestTimeout = 24 * time.Hour

func (c *compiler) timeouts(of string, stated *policyv1.Timeouts) Timeouts {
	bounded := func(name string, ms int64) time.Duration {
		if ms < 0 || ms > longestTimeout.Milliseconds() {
			c.refuse("%s: its timeout %s is %d ms, 0 to %d are accepted", of, name, ms, longestTimeout.Milliseconds())
			return 0
		}
		return time.Duration(ms) * time.Millisecond
	}
	return Timeouts{
		Connect:    bounded("connect", stated.GetConnectMs()),
		FirstToken: bounded("first_token", stated.GetFirstTokenMs()),
		FirstByte:  bounded("first_byte", stated.GetFirstByteMs()),
		Idle:       bounded("idle", stated.GetIdleMs()),
		Total:      bounded("total", stated.GetTotalMs()),
	}
}

func (c *compiler) addRoute(id string, r *policyv1.Route) {
	name := r.GetName()
	if name == "" || c.content.routes[name] != nil || c.routes[id] != nil {
		c.refuse("route %s: its name %q is empty or taken", id, name)
		return
	}
	c.checkTargets(id, r)
	route := &Route{
		ID: id, Name: name, Strategy: r.GetStrategy(), Retry: c.retry(id, r),
		Strict: r.GetStrict(), Header: []string{headerText(name)},
		projects: c.projects(id, r.GetAllowedProjectIds()), Unserved: r.GetUnserved(),
	}
	timeouts := c.timeouts("route "+id, r.GetTimeouts())
	route.Sticky, route.Hedge = c.sticky(id, r), c.hedge(id, r.GetHedge())
	route.Canary, route.Shadow = c.share(id, r.GetCanary(), timeouts), c.share(id, r.GetShadow(), timeouts)
	for _, t := range r.GetTargets() {
		if target := c.target(id, t); target != nil {
			target.Timeouts = timeouts.or(target.Provider.Timeouts)
			route.Targets = append(route.Targets, target)
		}
	}
	c.routes[id] = route
	c.content.routes[name] = route
	c.content.routeList = append(c.content.routeList, route)
}

// projects is nil only where the policy names none: a route for nobody that can be
// named is not one for all.
func (c *compiler) projects(routeID string, ids []string) map[string]bool {
	if len(ids) == 0 {
		return nil
	}
	projects := make(map[string]bool, len(ids))
	for _, id := range ids {
		if id == "" {
			c.refuse("route %s: it is for a project without an id", routeID)
		}
		projects[id] = true
	}
	return projects
}

func (c *compiler) target(routeID string, t *policyv1.Target) *Target {
	provider := c.content.providers[t.GetProviderId()]
	if provider == nil {
		c.refuse("route %s: there is no provider %s", routeID, t.GetProviderId())
		return nil
	}
	if t.GetModel() == "" {
		c.refuse("route %s: a target without a model", routeID)
		return nil
	}
	if t.GetModel() == "." || t.GetModel() == ".." {
		c.refuse("route %s: a target's model is %q", routeID, t.GetModel())
		return nil
	}
	target := &Target{Provider: provider, Model: t.GetModel(), urls: c.urls(provider, t.GetModel()), ModelJSON: quote(t.GetModel()), Weight: int64(t.GetWeight()),
		Header: []string{headerText(provider.Name + "/" + t.GetModel())}}
	target.Upstream = unique.Make(Upstream{ProviderID: provider.ID, Model: target.Model})
	target.When = c.when(routeID, t.GetWhen())
	if c.content.book != nil {
		target.Price = c.content.book.Lookup(price.Query{
			List: c.content.lists[provider], Model: t.GetModel(), ProviderID: provider.ID, Region: provider.Region,
		})
	}
	return target
}

// urls are the same for all targets of a provider, or of one of its models where its paths
// name them.
func (c *compiler) urls(provider *Provider, model string) *URLs {
	reach := c.named[provider]
	if reach == nil {
		return provider.urls
	}
	key := provider.ID + "/" + model
	if c.reached[key] == nil {
		c.reached[key] = reach(model)
	}
	return c.reached[key]
}

// quote is a JSON string without the HTML escapes that nobody upstream needs.
func quote(text string) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string always encodes
	return bytes.TrimSpace(b.Bytes())
}
